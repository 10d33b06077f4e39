/** The invite link: there and back, and what is said of a broken one. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64Url, toHex } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import type { FederationId, Hash, PublicKey } from '../../src/core/ids.ts';
import { encodeCbor } from '../../src/federation/cbor.ts';
import { inviteFragment, parseInvite } from '../../src/federation/invite.ts';
import type { Invite } from '../../src/federation/invite.ts';

const rawBytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => new Uint8Array(bytes));

const invites: fc.Arbitrary<Invite> = fc.record({
  address: fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme-ascii' }),
  key: rawBytes(32).map((bytes) => toHex(bytes) as PublicKey),
  planHash: rawBytes(32).map((bytes) => toHex(bytes) as Hash),
  federation: rawBytes(16).map((bytes) => toHex(bytes) as FederationId),
  admission: fc.constantFrom('anyone', 'link', 'named'),
  secret: rawBytes(16),
});

const INVITE: Invite = {
  address: '0123456789abcdef0123456789abcdef',
  key: 'ab'.repeat(32) as PublicKey,
  planHash: 'cd'.repeat(32) as Hash,
  federation: 'ef'.repeat(16) as FederationId,
  admission: 'link',
  secret: new Uint8Array(16).fill(7),
};

function refusalOf(fragment: string): HushError {
  try {
    parseInvite(fragment);
  } catch (error) {
    expect(error).toBeInstanceOf(HushError);
    return error as HushError;
  }
  throw new Error('The link was taken.');
}

describe('a link', () => {
  it('says the same when it is read', () => {
    fc.assert(
      fc.property(invites, (invite) => {
        const fragment = inviteFragment(invite);
        expect(parseInvite(fragment)).toEqual(invite);
        expect(parseInvite(`https://example.org:8443/app/#${fragment}`)).toEqual(invite);
      }),
    );
  });

  it('is the same for the same invite, and of characters that survive a chat', () => {
    fc.assert(
      fc.property(invites, (invite) => {
        expect(inviteFragment({ ...invite })).toBe(inviteFragment(invite));
        expect(inviteFragment(invite)).toMatch(/^join=[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('cut anywhere, or with one character too many, is refused', () => {
    fc.assert(
      fc.property(invites, fc.nat(), (invite, at) => {
        const fragment = inviteFragment(invite);
        const length = 'join='.length + (at % (fragment.length - 'join='.length));
        const error = refusalOf(fragment.slice(0, length));
        expect(error.code).toBe('invite/unreadable');
        expect(error.advice).toBe('Ask for the link again and copy all of it.');
        expect(refusalOf(`${fragment}AAAA`).code).toBe('invite/unreadable');
      }),
    );
  });

  it('whatever it is: refused or read, nothing else is thrown', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `join=${text}`),
        ),
        (text) => {
          expect(refusalOf(text).code).toMatch(/^invite\//);
        },
      ),
    );
  });
});

/** A fragment of any content, as no invite would be written. */
function fragmentOf(change: Readonly<Record<string, unknown>>): string {
  const fields: Record<string, unknown> = {
    v: 1,
    address: INVITE.address,
    key: new Uint8Array(32),
    planHash: new Uint8Array(32),
    federation: new Uint8Array(16),
    admission: 'link',
    secret: new Uint8Array(16),
    ...change,
  };
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `join=${toBase64Url(encodeCbor(Object.fromEntries(kept)))}`;
}

describe('a broken link names the part, what it is and what was expected', () => {
  it('of an unbroken one nothing is said', () => {
    expect(parseInvite(fragmentOf({})).address).toBe(INVITE.address);
  });

  it.each([
    ['v', 2, '2', 'version 1 of the protocol'],
    ['address', '', '""', 'text of 1 to 64 characters'],
    ['address', 'a'.repeat(65), `"${'a'.repeat(36)}...`, 'text of 1 to 64 characters'],
    ['key', new Uint8Array(31), '31 bytes', '32 bytes'],
    ['key', 'key', '"key"', 'Uint8Array'],
    ['planHash', new Uint8Array(16), '16 bytes', '32 bytes'],
    ['federation', new Uint8Array(17), '17 bytes', '16 bytes'],
    ['admission', 'all', '"all"', 'one of anyone, link, named'],
    ['secret', new Uint8Array(15), '15 bytes', '16 bytes'],
  ])('%s = %j', (field, value, shown, expected) => {
    const error = refusalOf(fragmentOf({ [field]: value }));
    expect(error.code).toBe('invite/field');
    expect(error.message).toBe(`The invite link: "${field}" is ${shown}, expected ${expected}.`);
  });

  it.each(['v', 'address', 'key', 'planHash', 'federation', 'admission', 'secret'])('%s missing', (field) => {
    const error = refusalOf(fragmentOf({ [field]: undefined }));
    expect(error.code).toBe('invite/field');
    expect(error.message).toMatch(new RegExp(`^The invite link: "${field}" is missing, expected .+\\.$`));
  });

  it('something that no link has', () => {
    const error = refusalOf(fragmentOf({ extra: 1 }));
    expect(error.code).toBe('invite/field');
    expect(error.message).toContain('"extra"');
  });

  it('another prefix', () => {
    const error = refusalOf('https://example.org/#invite=abc');
    expect(error.code).toBe('invite/prefix');
    expect(error.message).toBe('The invite link: the part after "#" is "invite=abc", expected "join=…".');
  });

  it('nothing after the #', () => {
    expect(refusalOf('').code).toBe('invite/prefix');
    expect(refusalOf('#').code).toBe('invite/prefix');
    expect(refusalOf('join=').code).toBe('invite/unreadable');
  });

  it('longer than any link, before it is read', () => {
    const error = refusalOf(`join=${'A'.repeat(1025)}`);
    expect(error.code).toBe('invite/too-long');
    expect(error.message).toBe('The invite link: 1025 characters, expected at most 1024.');
  });

  it('characters of no link', () => {
    const error = refusalOf('join=abc%20def');
    expect(error.code).toBe('invite/unreadable');
    expect(error.message).toBe('The invite link: "abc%20def" cannot be read, expected an unbroken link.');
  });
});
