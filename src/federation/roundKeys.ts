/**
 * One participant's secrets for one round: fresh keys, the self-mask seed, and the shares it holds for others. In memory
 * only, and wiped once the unmask shares are out or the round is given up. The state machine sees none of them.
 */
import type { Bytes } from '../core/bytes.ts';
import { ownBytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber } from '../core/ids.ts';
import type { MaskSeed } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { Random } from '../core/ports.ts';
import { agree, createAgreementKey } from '../crypto/agreement.ts';
import type { AgreementKey } from '../crypto/agreement.ts';
import { openBox, sealBox } from '../crypto/box.ts';
import type { Identity } from '../crypto/identity.ts';
import { boxKey, maskSalt, pairSeed, pairSign, selfSeed } from '../crypto/seeds.ts';
import { proveName } from './credential.ts';
import { checkBox, deal, openShare, seedCommitmentOf } from './dealing.ts';
import { commitmentOf } from './groups.ts';
import type { AdvertBody, Binding, Body } from './messages.ts';
import { credentialFor, indexIn } from './roster.ts';
import type { Member, Roster } from './roster.ts';
import { advertStatement, dealingStatement } from './statements.ts';

export interface RoundKeysOptions {
  readonly identity: Identity;
  readonly binding: Binding;
  readonly plan: Plan;
  /** The link's. */
  readonly secret: Bytes;
  /** By which this participant goes where the plan lists it. */
  readonly named: Identity | undefined;
  readonly round: RoundNumber;
  readonly random: Random;
}

export interface MaskBinding {
  readonly modelHash: Hash;
  readonly rosterRoot: Hash;
  readonly u1Root: Hash;
  readonly sumSpecHash: Hash;
}

export class RoundKeys {
  readonly #options: RoundKeysOptions;
  readonly #boxKey: AgreementKey;
  readonly #maskKey: AgreementKey;
  readonly #selfSecret: Bytes;
  /** Committed to in the advert; revealed once the cohort is fixed, in plans with groups. */
  readonly #randomness: Bytes;
  #advert: Promise<AdvertBody> | undefined;
  /** By the other's box key. */
  readonly #boxSecrets = new Map<PublicKey, Bytes>();
  /** Plain boxes that were checked, by their dealer: one piece of memory each, instead of a dozen for what is in them. */
  readonly #held = new Map<ParticipantId, Bytes>();
  #wiped = false;

  private constructor(options: RoundKeysOptions, box: AgreementKey, mask: AgreementKey) {
    this.#options = options;
    this.#boxKey = box;
    this.#maskKey = mask;
    this.#selfSecret = options.random.bytes(32);
    this.#randomness = options.random.bytes(32);
  }

  static async create(options: RoundKeysOptions): Promise<RoundKeys> {
    const [box, mask] = await Promise.all([createAgreementKey(options.random), createAgreementKey(options.random)]);
    return new RoundKeys(options, box, mask);
  }

  /** Step 0; the same whenever it is asked for. */
  advert(): Promise<AdvertBody> {
    return (this.#advert ??= this.#makeAdvert());
  }

  async #makeAdvert(): Promise<AdvertBody> {
    const { identity, binding, plan, secret, round, named } = this.#options;
    const keys = {
      publicKey: identity.publicKey,
      boxKey: this.#boxKey.publicKey,
      maskKey: this.#maskKey.publicKey,
      commitment: commitmentOf(this.#randomness),
    };
    const proof = named && (await proveName(plan, binding, round, named, identity.publicKey));
    const credential = credentialFor(binding, plan, secret, round, keys);
    const advert = { ...keys, credential, ...(proof && { named: proof }) };
    return { ...advert, signature: await identity.sign(advertStatement(binding, round, advert)) };
  }

  /** Step 1g: what the advert committed to, 32 bytes. */
  reveal(): Bytes {
    this.#assertLive();
    return ownBytes(this.#randomness);
  }

  /** Step 2: boxes for everyone else; the own shares are kept. */
  async deal(roster: Roster): Promise<Body<'share'>> {
    this.#assertLive();
    const { identity, binding, round, random } = this.#options;
    const { shareRoot, plainBoxes } = deal(roster, this.#maskKey.secretKey, this.#selfSecret, random);
    const own = indexIn(roster, identity.id);
    const boxes = await Promise.all(
      roster.members.flatMap((member, j) => {
        const plain = plainBoxes[j];
        return j === own || plain === undefined ? [] : [this.#seal(roster, member, plain)];
      }),
    );
    const ownPlain = plainBoxes[own];
    if (ownPlain === undefined) throw new HushError('roster/not-in-it', 'This participant is not in the roster.');
    checkBox(ownPlain, roster, own, shareRoot);
    this.#held.set(identity.id, ownPlain);
    const seedCommitment = seedCommitmentOf(this.#selfSecret);
    const dealing = { dealer: identity.id, shareRoot, seedCommitment };
    const signature = await identity.sign(dealingStatement(binding, round, roster.rosterRoot, dealing));
    return { shareRoot, seedCommitment, signature, boxes };
  }

  async #seal(roster: Roster, to: Member, plain: Bytes): Promise<[ParticipantId, Bytes]> {
    const from = this.#options.identity.id;
    const shared = await this.#boxSecret(to);
    const key = boxKey({ shared, rosterRoot: roster.rosterRoot, from, to: to.id });
    return [to.id, sealBox(key, plain, this.#options.random)];
  }

  /** Both directions of a pair have the same one: what sealed a box is kept to open the other. */
  async #boxSecret({ boxKey: theirs }: Member): Promise<Bytes> {
    const known = this.#boxSecrets.get(theirs);
    if (known !== undefined) return known;
    const shared = await agree(this.#boxKey.secretKey, theirs);
    this.#assertLive();
    this.#boxSecrets.set(theirs, shared);
    return shared;
  }

  /**
   * Step 2': opens the boxes for this participant. Gives the dealers, itself among them, whose shares open and prove; what
   * does not is left out, and named in `bad`.
   */
  async open(
    roster: Roster,
    delivery: Body<'deliver'>,
  ): Promise<{ readonly good: readonly ParticipantId[]; readonly bad: readonly ParticipantId[] }> {
    this.#assertLive();
    const own = this.#options.identity.id;
    const ownIndex = indexIn(roster, own);
    const boxes = new Map(delivery.boxes);
    const bad: ParticipantId[] = [];
    await Promise.all(
      delivery.dealings.map(async ([dealer, shareRoot]) => {
        if (dealer === own) return;
        const member = roster.members[indexIn(roster, dealer)];
        const box = boxes.get(dealer);
        try {
          if (member === undefined || box === undefined) throw new HushError('share/box', 'No box from this dealer.');
          const shared = await this.#boxSecret(member);
          const key = boxKey({ shared, rosterRoot: roster.rosterRoot, from: dealer, to: own });
          const plain = openBox(key, new Uint8Array(box));
          checkBox(plain, roster, ownIndex, shareRoot);
          this.#held.set(dealer, plain);
        } catch {
          bad.push(dealer);
        }
      }),
    );
    this.#forgetBoxSecrets();
    return { good: [...this.#held.keys()].sort(), bad: bad.sort() };
  }

  /** Step 3: the self mask, and one mask for each other member of U1. */
  async maskSeeds(roster: Roster, u1: readonly ParticipantId[], binding: MaskBinding): Promise<readonly MaskSeed[]> {
    this.#assertLive();
    const own = this.#options.identity.id;
    const { round } = this.#options;
    const salt = maskSalt({ planHash: this.#options.binding.planHash, ...binding });
    const self: MaskSeed = { seed: selfSeed({ secret: this.#selfSecret, salt, id: own, round }), sign: 1 };
    const pairs = await Promise.all(
      u1
        .filter((id) => id !== own)
        .map(async (id): Promise<MaskSeed> => {
          const member = roster.members[indexIn(roster, id)];
          if (member === undefined) throw new HushError('set/member', `${id} is not in the roster.`);
          const shared = await agree(this.#maskKey.secretKey, member.maskKey);
          return { seed: pairSeed({ shared, salt, a: own, b: id, round }), sign: pairSign(own, id) };
        }),
    );
    return [self, ...pairs];
  }

  /**
   * Step 5, once: shares of the seeds of `survivors` and of the mask keys of the rest of U1, as far as they are held; then
   * everything is wiped.
   */
  release(roster: Roster, u1: readonly ParticipantId[], survivors: readonly ParticipantId[]): Body<'unmask'> {
    this.#assertLive();
    const own = indexIn(roster, this.#options.identity.id);
    const alive = new Set(survivors);
    const opened = (secret: 'key' | 'seed', dealers: readonly ParticipantId[]) =>
      dealers.flatMap((dealer) => {
        const plain = this.#held.get(dealer);
        return plain === undefined ? [] : [openShare(secret, dealer, plain, roster, own)];
      });
    const body = {
      selfShares: opened('seed', survivors),
      keyShares: opened(
        'key',
        u1.filter((id) => !alive.has(id)),
      ),
    };
    this.wipe();
    return body;
  }

  /** Whether `advert` is this participant's own, unchanged. */
  owns(advert: AdvertBody): boolean {
    return (
      advert.publicKey === this.#options.identity.publicKey &&
      advert.boxKey === this.#boxKey.publicKey &&
      advert.maskKey === this.#maskKey.publicKey
    );
  }

  wipe(): void {
    this.#wiped = true;
    this.#boxKey.secretKey.fill(0);
    this.#maskKey.secretKey.fill(0);
    this.#selfSecret.fill(0);
    this.#randomness.fill(0);
    this.#forgetBoxSecrets();
    for (const plain of this.#held.values()) plain.fill(0);
    this.#held.clear();
  }

  /** Once the boxes of all dealers are open. */
  #forgetBoxSecrets(): void {
    for (const shared of this.#boxSecrets.values()) shared.fill(0);
    this.#boxSecrets.clear();
  }

  #assertLive(): void {
    if (this.#wiped) throw new HushError('round/wiped', `The keys of round ${this.#options.round} are gone.`);
  }
}
