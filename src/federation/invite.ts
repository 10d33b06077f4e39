/**
 * The invite link: how to reach the coordinator, its key, the plan's hash, the federation, who is admitted and a secret, all
 * in the URL's fragment, which no server sees.
 */
import { fromBase64Url, toBase64Url } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { FederationId, Hash, PublicKey } from '../core/ids.ts';
import { hexBytes, rawBytes, text, toWire, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { PROTOCOL_VERSION } from './messages.ts';

const MAX_FRAGMENT_LENGTH = 1024;
const PREFIX = 'join=';
const SECRET_BYTES = 16;

const inviteSchema = v.strictObject({
  v: v.literal(PROTOCOL_VERSION, `version ${PROTOCOL_VERSION} of the protocol`),
  /** At the signalling server of the host that serves the link. */
  address: text(64),
  key: hexBytes<PublicKey>(32),
  planHash: hexBytes<Hash>(32),
  federation: hexBytes<FederationId>(16),
  /** As the plan says, which is fetched only after a person has agreed to take part. */
  admission: v.picklist(['anyone', 'link', 'named'], 'one of anyone, link, named'),
  secret: v.pipe(
    rawBytes(SECRET_BYTES),
    v.check((bytes) => bytes.length === SECRET_BYTES, `${SECRET_BYTES} bytes`),
  ),
});

export type Invite = Omit<Decoded<typeof inviteSchema>, 'v'>;

/** What stands behind the `#` of the link. */
export function inviteFragment(invite: Invite): string {
  return PREFIX + toBase64Url(encodeCbor(toWire(inviteSchema, { v: PROTOCOL_VERSION, ...invite })));
}

/** @throws HushError `invite/…`, naming the part, what it is and what was expected. */
export function parseInvite(fragment: string): Invite {
  const advice = 'Ask for the link again and copy all of it.';
  const broken = (code: `invite/${string}`, message: string): HushError => new HushError(code, message, { advice });
  const body = fragment.slice(fragment.indexOf('#') + 1);
  if (!body.startsWith(PREFIX)) {
    throw broken('invite/prefix', `The invite link: the part after "#" is "${clip(body)}", expected "${PREFIX}…".`);
  }
  const encoded = body.slice(PREFIX.length);
  if (encoded.length > MAX_FRAGMENT_LENGTH) {
    throw broken(
      'invite/too-long',
      `The invite link: ${encoded.length} characters, expected at most ${MAX_FRAGMENT_LENGTH}.`,
    );
  }
  let value: unknown;
  try {
    value = decodeCbor(fromBase64Url(encoded));
  } catch {
    throw broken('invite/unreadable', `The invite link: "${clip(encoded)}" cannot be read, expected an unbroken link.`);
  }
  const parsed = v.safeParse(inviteSchema, value, { abortEarly: true });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const field = v.getDotPath(issue) ?? '(whole)';
    const got =
      issue.input instanceof Uint8Array ? `${issue.input.length} bytes` : (JSON.stringify(issue.input) ?? 'missing');
    const expected = expectedOf(issue);
    throw broken('invite/field', `The invite link: "${field}" is ${clip(got)}, expected ${expected}.`);
  }
  const { v: _version, ...invite } = parsed.output;
  return invite;
}

/** A key of its own in `expected` means that the field is missing, and "never" that there should be none. */
function expectedOf(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.expected === 'never') return 'no such field';
  return issue.expected === null || issue.expected.startsWith('"') ? 'it to be there' : issue.expected;
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

export function secretOf(random: { bytes(length: number): Bytes }): Bytes {
  return random.bytes(SECRET_BYTES);
}
