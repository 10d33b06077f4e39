/** Envelopes written out by hand after PROTOCOL.md, without the checks of the real ones: a liar's, or a broken program's. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, fromHex } from '../../src/core/bytes.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { encodeCbor } from '../../src/federation/cbor.ts';
import type { Binding } from '../../src/federation/messages.ts';

export interface RawEnvelope {
  readonly v?: number;
  readonly type: string;
  readonly round: number;
  readonly from?: string;
  readonly to?: string | null;
  readonly seq: number;
  /** What CBOR can hold, or the bytes of a body that is none. */
  readonly body: unknown;
  readonly signature?: Bytes;
}

export async function rawEnvelope(identity: Identity, binding: Binding, raw: RawEnvelope): Promise<Bytes> {
  const { v = 1, type, round, from = identity.id, to = null, seq } = raw;
  const body = raw.body instanceof Uint8Array ? raw.body : encodeCbor(raw.body);
  const [federation, planHash, sender] = [fromHex(binding.federation), fromHex(binding.planHash), fromHex(from)];
  const receiver = to === null ? null : fromHex(to);
  const digest = new Uint8Array(createHash('sha256').update(body).digest());
  const signed = encodeCbor(['hushgrad', v, type, federation, planHash, round, sender, receiver, seq, digest]);
  const signature = raw.signature ?? fromHex(await identity.sign(signed));
  return encodeCbor({ v, type, federation, planHash, round, from: sender, to: receiver, seq, body, signature });
}

/** One frame that holds the whole message. */
export function frameOf(message: Uint8Array, header: { number?: number; index?: number; count?: number } = {}): Bytes {
  const { number = 0, index = 0, count = 1 } = header;
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, number);
  head.setUint16(4, index);
  head.setUint16(6, count);
  return concatBytes(new Uint8Array(head.buffer), message);
}
