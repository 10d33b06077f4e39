/**
 * Named identities: a key pair that a person made on purpose and that the plan lists with a name. It signs, for one round of
 * one federation, which of that federation's keys is its own; so others can tell whom they are with, and a plan can admit
 * nobody else. Every participant checks this of every advert: a coordinator cannot slip in somebody who is not listed.
 */
import { HushError } from '../core/errors.ts';
import type { PublicKey, RoundNumber } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import type { AdvertBody, Binding } from './messages.ts';
import { namedStatement } from './statements.ts';

/** As an advert carries it. */
export type NamedProof = NonNullable<AdvertBody['named']>;

/** The name that the plan gives to a key; undefined when it gives none. */
export function nameIn(plan: Plan, key: PublicKey): string | undefined {
  return plan.security.names.find((person) => person.key === key)?.name;
}

/** Undefined where the plan does not list the key: it is shown only to those who know it already. */
export async function proveName(
  plan: Plan,
  binding: Binding,
  round: RoundNumber,
  named: Identity,
  publicKey: PublicKey,
): Promise<NamedProof | undefined> {
  if (nameIn(plan, named.publicKey) === undefined) return undefined;
  return { key: named.publicKey, signature: await named.sign(namedStatement(binding, round, publicKey)) };
}

/**
 * The name of who advertises; undefined for nobody in particular.
 * @throws HushError `advert/not-named` without a key of the list where one is needed, or with a key that is not on it;
 * `advert/named-signature`.
 */
export async function checkName(
  plan: Plan,
  binding: Binding,
  round: RoundNumber,
  { publicKey, named }: Pick<AdvertBody, 'publicKey' | 'named'>,
): Promise<string | undefined> {
  if (named === undefined) {
    if (plan.security.admission !== 'named') return undefined;
    throw new HushError('advert/not-named', 'Without a named key, expected one of those that the plan lists.');
  }
  const name = nameIn(plan, named.key);
  if (name === undefined) {
    throw new HushError(
      'advert/not-named',
      `The named key is ${named.key}, expected one of those that the plan lists.`,
    );
  }
  if (await verifySignature(named.key, named.signature, namedStatement(binding, round, publicKey))) return name;
  throw new HushError('advert/named-signature', `The signature is not that of the key of "${name}".`);
}
