/** Every seed and key of a round, derived by HKDF and bound to what it is for (against Pasquini et al. 2022). */
import { concatBytes, fromHex, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import { hkdfSha256, sha256 } from './hash.ts';

const SEED_BYTES = 32;

const PAIR = utf8('hushgrad/1 pair');
const SELF = utf8('hushgrad/1 self');
const BOX = utf8('hushgrad/1 box');

export interface MaskBinding {
  readonly planHash: Hash;
  readonly modelHash: Hash;
  readonly rosterRoot: Hash;
  readonly u1Root: Hash;
  readonly sumSpecHash: Hash;
}

/**
 * SHA-256(planHash ‖ modelHash ‖ rosterRoot ‖ u1Root ‖ sumSpecHash), 32 bytes. Whoever was shown something else derives
 * other masks, which then do not cancel.
 */
export function maskSalt({ planHash, modelHash, rosterRoot, u1Root, sumSpecHash }: MaskBinding): Bytes {
  return sha256(...[planHash, modelHash, rosterRoot, u1Root, sumSpecHash].map(fromHex));
}

/** The seed that `a` and `b` share (Bonawitz et al. 2017, section 4, s_uv); the order of `a` and `b` does not matter. */
export function pairSeed(input: {
  readonly shared: Bytes;
  readonly salt: Bytes;
  readonly a: ParticipantId;
  readonly b: ParticipantId;
  readonly round: RoundNumber;
}): Bytes {
  const [min, max] = input.a < input.b ? [input.a, input.b] : [input.b, input.a];
  const info = concatBytes(PAIR, fromHex(min), fromHex(max), roundBytes(input.round));
  return hkdfSha256(input.shared, input.salt, info, SEED_BYTES);
}

/**
 * The seed of the self mask, from the secret b_i that is shared out (Bonawitz et al. 2017, section 4, b_u). Bound like the
 * seeds of pairs: b_i is drawn before the other members' keys are known.
 */
export function selfSeed(input: {
  readonly secret: Bytes;
  readonly salt: Bytes;
  readonly id: ParticipantId;
  readonly round: RoundNumber;
}): Bytes {
  return hkdfSha256(
    input.secret,
    input.salt,
    concatBytes(SELF, fromHex(input.id), roundBytes(input.round)),
    SEED_BYTES,
  );
}

/** The key of the box that `from` seals for `to`; the other direction has another key. */
export function boxKey(input: {
  readonly shared: Bytes;
  readonly rosterRoot: Hash;
  readonly from: ParticipantId;
  readonly to: ParticipantId;
}): Bytes {
  const info = concatBytes(BOX, fromHex(input.from), fromHex(input.to));
  return hkdfSha256(input.shared, fromHex(input.rosterRoot), info, SEED_BYTES);
}

/** How `own` applies the mask that it shares with `other`: the larger id subtracts, the smaller adds. */
export function pairSign(own: ParticipantId, other: ParticipantId): 1 | -1 {
  return own > other ? -1 : 1;
}

/** Big-endian, 8 bytes: no round number wraps. */
function roundBytes(round: RoundNumber): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(round));
  return bytes;
}
