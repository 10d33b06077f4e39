/** What a broken or hostile peer sends, each kind with the reason under which it is counted. */
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import type { ParticipantId } from '../../src/core/ids.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import type { Binding, Role } from '../../src/federation/messages.ts';
import { frameOf, rawEnvelope } from './rawEnvelope.ts';
import type { RawEnvelope } from './rawEnvelope.ts';

export interface Garbage {
  readonly name: string;
  readonly code: string;
  readonly frames: readonly Bytes[];
}

export interface GarbageSource {
  readonly identity: Identity;
  readonly role: Role;
  readonly binding: Binding;
  readonly receiver: ParticipantId;
}

/** Above every number that is used, so that nothing of it is an old message by chance. */
const LATER = 2 ** 40;

/** One of each kind, as if `identity` had sent it in a run of its own federation. */
export async function garbageOf({ identity, role, binding, receiver }: GarbageSource): Promise<readonly Garbage[]> {
  const stranger = await createIdentity();
  const own = role === 'participant';
  // Harmless should it be taken, so that a test of a check that is not there ends at once.
  const bodies = {
    progress: { phase: 'ready', fraction: 0, engine: '', samples: 1, trainMs: 0 },
    status: { people: [], unmasked: false },
  };
  const [type, other] = own ? (['progress', 'status'] as const) : (['status', 'progress'] as const);
  const honest: RawEnvelope = { type, round: 0, to: receiver, seq: LATER, body: bodies[type] };
  const seal = (change: Partial<RawEnvelope> = {}, as: Identity = identity, where: Binding = binding) =>
    rawEnvelope(as, where, { ...honest, ...change });
  const envelope = await seal();
  const small = new Uint8Array(100).fill(7);
  const whole = new Uint8Array(MAX_FRAME_BYTES - 8).fill(7);
  const one = async (name: string, code: string, message: Bytes | Promise<Bytes>): Promise<Garbage> => ({
    name,
    code,
    frames: [frameOf(await message)],
  });
  const frames = (name: string, code: string, ...list: readonly Bytes[]): Garbage => ({ name, code, frames: list });
  const changed = (at: number): Bytes => envelope.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
  const zeros = new Uint8Array(64);
  return [
    frames('an empty frame', 'frame/too-short', new Uint8Array()),
    frames('half a header', 'frame/too-short', new Uint8Array(7)),
    frames('a frame beyond its count', 'frame/index', frameOf(small, { index: 2, count: 2 })),
    frames('a frame of none', 'frame/index', frameOf(small, { count: 0 })),
    frames('the second frame first', 'frame/order', frameOf(small, { index: 1, count: 2 })),
    frames('a frame twice', 'frame/order', ...[0, 1, 1].map((index) => frameOf(small, { index, count: 3 }))),
    frames('a frame left out', 'frame/order', ...[0, 2].map((index) => frameOf(small, { index, count: 3 }))),
    frames(
      'frames of two messages mixed',
      'frame/order',
      frameOf(small, { number: 1, index: 0, count: 2 }),
      frameOf(small, { number: 2, index: 1, count: 2 }),
    ),
    frames('a message of four gigabytes', 'frame/too-large', frameOf(whole, { count: 0xffff })),
    await one('nothing', 'codec/cbor', new Uint8Array()),
    await one('bytes that are no CBOR', 'codec/cbor', whole),
    await one('a truncated message', 'codec/cbor', envelope.slice(0, -1)),
    await one('a message with something after it', 'codec/cbor', concatBytes(envelope, Uint8Array.of(0))),
    await one('an envelope of another shape', 'codec/schema', Uint8Array.of(0xa0)),
    await one('a body of another shape', 'codec/schema', seal({ body: {} })),
    await one('a body with one field more', 'codec/schema', seal({ body: { ...bodies[type], more: 1 } })),
    await one('a body that is no CBOR', 'codec/cbor', seal({ body: new Uint8Array([0xff]) })),
    await one('an unknown type', 'codec/type', seal({ type: 'unmaskEverything' })),
    await one('the name of a property of every object as type', 'codec/type', seal({ type: 'constructor' })),
    await one('another version', 'codec/version', seal({ v: 2 })),
    await one(
      'another federation',
      'codec/binding',
      seal({}, identity, { ...binding, federation: 'ab'.repeat(16) as never }),
    ),
    await one('another plan', 'codec/binding', seal({}, identity, { ...binding, planHash: 'ab'.repeat(32) as never })),
    await one('a message of the other role', 'codec/direction', seal({ type: other, body: bodies[other] })),
    await one(
      'a body above the limit of its type',
      'codec/size',
      seal({ type: own ? 'leave' : 'end', body: { reason: 'x'.repeat(5000) } }),
    ),
    await one('a message for somebody else', 'codec/sender', seal({ to: stranger.id })),
    await one('a message in the name of somebody else', 'codec/sender', seal({ from: stranger.id })),
    await one('a message from somebody else', 'codec/sender', seal({}, stranger)),
    await one('a message signed by somebody else', 'codec/signature', seal({ from: identity.id }, stranger)),
    await one('an old message', 'codec/sequence', seal({ seq: 0 })),
    await one('an unsigned message', 'codec/signature', seal({ signature: zeros })),
    // Its end is `signature`, `federation` and 16 bytes, as CBOR orders its fields.
    await one('a message with one bit of its signature changed', 'codec/signature', changed(envelope.length - 29)),
  ];
}
