/**
 * The masks of one group in one round, derived from keys as in the protocol; everyone's keys are in one place here, so
 * that nothing need be shared out to take the masks of those who drop out off again.
 */
import { concatBytes, fromHex } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import type { Hash, ParticipantId, RoundNumber } from '../../src/core/ids.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import type { Random } from '../../src/core/ports.ts';
import { agree, createAgreementKey } from '../../src/crypto/agreement.ts';
import type { AgreementKey, PeerKeys } from '../../src/crypto/agreement.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { maskSalt, pairSeed, pairSign, selfSeed } from '../../src/crypto/seeds.ts';

const SECRET_BYTES = 32;

interface Keys {
  readonly maskKey: AgreementKey;
  readonly selfSecret: Bytes;
}

export interface MaskedGroup {
  readonly planHash: Hash;
  readonly modelHash: Hash;
  readonly sumSpecHash: Hash;
  readonly round: RoundNumber;
  readonly members: readonly ParticipantId[];
}

export class RoundMasks {
  readonly #keys: ReadonlyMap<ParticipantId, Keys>;
  readonly #salt: Bytes;
  readonly #round: RoundNumber;
  readonly #peers: PeerKeys = new Map();

  private constructor(group: MaskedGroup, keys: ReadonlyMap<ParticipantId, Keys>) {
    // Nobody is shown another group here: its members alone stand for the roots over adverts and dealings.
    const root = hashOf(concatBytes(...group.members.map(fromHex)));
    this.#keys = keys;
    this.#salt = maskSalt({ ...group, rosterRoot: root, u1Root: root });
    this.#round = group.round;
  }

  static async draw(group: MaskedGroup, random: Random): Promise<RoundMasks> {
    const keys = new Map<ParticipantId, Keys>();
    for (const id of group.members) {
      keys.set(id, { maskKey: await createAgreementKey(random), selfSecret: random.bytes(SECRET_BYTES) });
    }
    return new RoundMasks(group, keys);
  }

  /** What `id` adds to its vector: its self mask, and one with each other member. */
  async seedsOf(id: ParticipantId): Promise<readonly MaskSeed[]> {
    const others = [...this.#keys.keys()].filter((other) => other !== id);
    const pairs = await Promise.all(others.map((other) => this.#pair(id, other)));
    return [{ seed: this.#self(id), sign: 1 }, ...pairs];
  }

  /** What leaves the sum of the survivors' vectors alone. */
  async undoing(survivors: readonly ParticipantId[]): Promise<readonly MaskSeed[]> {
    const gone = [...this.#keys.keys()].filter((id) => !survivors.includes(id));
    const selves = survivors.map((id): MaskSeed => ({ seed: this.#self(id), sign: -1 }));
    const stray = survivors.flatMap((id) => gone.map(async (other) => reversed(await this.#pair(id, other))));
    return [...selves, ...(await Promise.all(stray))];
  }

  #self(id: ParticipantId): Bytes {
    return selfSeed({ secret: this.#keysOf(id).selfSecret, salt: this.#salt, id, round: this.#round });
  }

  async #pair(own: ParticipantId, other: ParticipantId): Promise<MaskSeed> {
    const { secretKey } = this.#keysOf(own).maskKey;
    const shared = await agree(secretKey, this.#keysOf(other).maskKey.publicKey, this.#peers);
    const seed = pairSeed({ shared, salt: this.#salt, a: own, b: other, round: this.#round });
    return { seed, sign: pairSign(own, other) };
  }

  #keysOf(id: ParticipantId): Keys {
    const keys = this.#keys.get(id);
    if (keys === undefined) throw new HushError('set/member', `${id} is not in the group.`);
    return keys;
  }
}

function reversed({ seed, sign }: MaskSeed): MaskSeed {
  return { seed, sign: sign === 1 ? -1 : 1 };
}
