/** How two meet: the coordinator challenges, the participant shows its key and that it has the link. */
import { fromHex, toHex, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, PublicKey } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import { hmacSha256 } from '../crypto/hash.ts';
import { nameIn } from './credential.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { Body } from './messages.ts';

/** Shows knowledge of the link's secret for this meeting alone. */
export function helloCredential(secret: Bytes, nonce: string, publicKey: PublicKey): Hash {
  return toHex(hmacSha256(secret, utf8('hushgrad/1 hello'), fromHex(nonce), fromHex(publicKey))) as Hash;
}

/** Why a hello is not welcome; undefined when it is. */
export function helloProblem(plan: Plan, secret: Bytes, nonce: string, hello: Body<'hello'>): string | undefined {
  if (!hello.versions.includes(PROTOCOL_VERSION)) {
    return `it speaks version ${hello.versions.join(', ')} of the protocol, this coordinator version ${PROTOCOL_VERSION}`;
  }
  if (hello.nonce !== nonce) return 'it answers another challenge';
  const credential = helloCredential(secret, nonce, hello.publicKey);
  const { admission } = plan.security;
  if (admission !== 'anyone' && hello.credential !== credential) return 'it does not have the link';
  if (admission !== 'named') return undefined;
  if (hello.named === undefined)
    return 'only people whom the plan lists take part, and this tab goes by no named identity';
  if (nameIn(plan, hello.named) !== undefined) return undefined;
  return `only people whom the plan lists take part, and the named key ${hello.named} is not on its list`;
}
