/** Whether what this server sent is what the plan pins. */
import { toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';

/** `what` begins the sentence. @throws HushError `data/digest`. */
export async function checkDigest(content: Bytes, sha256: string, what: string): Promise<void> {
  const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', content)));
  if (digest === sha256) return;
  throw new HushError('data/digest', `${what} has the SHA-256 ${digest}, expected ${sha256} as the plan says.`, {
    advice: 'The server and the plan disagree about the data; ask whoever launched the plan.',
  });
}
