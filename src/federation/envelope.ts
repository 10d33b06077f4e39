/**
 * The envelope around every message: `{v, type, federation, planHash, round, from, to, seq, body, signature}`, signed by the
 * sender's identity over everything else, the body by its hash. No security rests on the transport.
 */
import { fromHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { FederationId, Hash, ParticipantId, PublicKey, Signature } from '../core/ids.ts';
import { hexBytes, integer, rawBytes, text, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { sha256Later } from '../crypto/hash.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import { encodeCbor } from './cbor.ts';
import { bodySchema, isMessageType, PROTOCOL_VERSION, ruleOf } from './messages.ts';
import type { Binding, Body, Message, MessageType, Role } from './messages.ts';
import { decodeAs } from './schemaReader.ts';
import { encodeAs } from './schemaWriter.ts';
import { shared } from './sharing.ts';

const envelopeSchema = v.strictObject({
  v: integer(0, 65_535),
  type: text(32),
  federation: hexBytes<FederationId>(16),
  planHash: hexBytes<Hash>(32),
  round: integer(0, 2 ** 48),
  from: hexBytes<ParticipantId>(16),
  /** Null where it is for everyone. */
  to: v.nullable(hexBytes<ParticipantId>(16)),
  seq: integer(0, Number.MAX_SAFE_INTEGER),
  body: rawBytes(Number.MAX_SAFE_INTEGER),
  signature: hexBytes<Signature>(64),
});

type Envelope = Decoded<typeof envelopeSchema>;

function signedBytes(envelope: Omit<Envelope, 'signature'>, bodyHash: Bytes): Bytes {
  const { v: version, type, federation, planHash, round, from, to, seq } = envelope;
  return encodeCbor([
    'hushgrad',
    version,
    type,
    fromHex(federation),
    fromHex(planHash),
    round,
    fromHex(from),
    to === null ? null : fromHex(to),
    seq,
    bodyHash,
  ]);
}

export interface Outgoing<Type extends MessageType> {
  readonly type: Type;
  readonly round: number;
  readonly to: ParticipantId | null;
  readonly seq: number;
  readonly body: Body<Type>;
}

export async function sealEnvelope<Type extends MessageType>(
  identity: Identity,
  binding: Binding,
  outgoing: Outgoing<Type>,
): Promise<Bytes> {
  const { type, round, to, seq } = outgoing;
  const body = encodeAs(bodySchema(type), outgoing.body);
  const unsigned = { v: PROTOCOL_VERSION, type, ...binding, round, from: identity.id, to, seq, body };
  const signature = await identity.sign(signedBytes(unsigned, await sha256Later(body)));
  return encodeAs(envelopeSchema, { ...unsigned, signature });
}

export interface Expectation {
  readonly binding: Binding;
  readonly own: ParticipantId;
  readonly senderRole: Role;
  /** Undefined until a hello has told it: then only a hello is accepted, and it names the key. */
  readonly senderKey: PublicKey | undefined;
  readonly senderId: ParticipantId | undefined;
  /** Sequence numbers must be above this. */
  readonly lastSeq: number;
}

export interface Opened {
  readonly message: Message;
  readonly seq: number;
  readonly from: ParticipantId;
}

/**
 * Reads and checks one envelope.
 * @throws HushError `codec/…`: cbor, schema, version, binding, type, direction, size, sender, sequence, signature.
 */
export async function openEnvelope(bytes: Bytes, expected: Expectation): Promise<Opened> {
  const envelope = parse(envelopeSchema, bytes, 'envelope');
  const { type, body, from, to, seq, round } = envelope;
  if (!isMessageType(type)) throw refusal('codec/type', `Unknown message type "${type}".`);
  // A challenge and a hello are read whatever their version, so that a mismatch can be said to the person.
  if (envelope.v !== PROTOCOL_VERSION && type !== 'challenge' && type !== 'hello') {
    throw refusal('codec/version', `Version ${envelope.v}, expected ${PROTOCOL_VERSION}.`);
  }
  if (envelope.federation !== expected.binding.federation || envelope.planHash !== expected.binding.planHash) {
    throw refusal('codec/binding', 'Made for another federation or another plan.');
  }
  const rule = ruleOf(type);
  if (rule.sender !== expected.senderRole)
    throw refusal('codec/direction', `No ${expected.senderRole} sends "${type}".`);
  if (body.length > rule.maxBytes) {
    throw refusal('codec/size', `"${type}" has ${body.length} bytes, expected at most ${rule.maxBytes}.`);
  }
  if (to !== null && to !== expected.own) throw refusal('codec/sender', 'Addressed to somebody else.');
  if (seq <= expected.lastSeq) throw refusal('codec/sequence', `Number ${seq} after ${expected.lastSeq}.`);
  if (expected.senderId !== undefined && from !== expected.senderId) {
    throw refusal('codec/sender', `From ${from}, expected ${expected.senderId}.`);
  }
  // Only a hello is read before its signature is checked: it brings the key.
  const hello = expected.senderKey === undefined && type === 'hello' ? readBody(type, body) : undefined;
  const key = expected.senderKey ?? (hello as Body<'hello'> | undefined)?.publicKey;
  if (key === undefined) throw refusal('codec/sender', `"${type}" before the hello.`);
  const bodyHash = await sha256Later(body);
  if (!(await verifySignature(key, envelope.signature, signedBytes(envelope, bodyHash)))) {
    throw refusal('codec/signature', `The signature under "${type}" is not the sender's.`);
  }
  const message = { type, round, body: hello ?? shared().body(type, bodyHash, () => readBody(type, body)) } as Message;
  return { message, seq, from };
}

function readBody(type: MessageType, body: Uint8Array): unknown {
  return parse(bodySchema(type), body, type);
}

function parse<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array, what: string): Decoded<Schema> {
  const result = decodeAs(schema, bytes);
  if (result.success) return result.output;
  const field = v.getDotPath(result.issues[0]) ?? '';
  throw refusal('codec/schema', `"${what}" is not well formed at "${field}".`);
}

function refusal(code: `codec/${string}`, message: string): HushError {
  return new HushError(code, message);
}
