/**
 * The coordinator's side of step 5: shares are checked against what their dealers signed, put together, and turned into
 * the masks that must be undone. Whoever is at fault is named.
 */
import { ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { ParticipantId } from '../core/ids.ts';
import type { MaskSeed } from '../core/localWork.ts';
import { agree, publicKeyOf } from '../crypto/agreement.ts';
import type { PeerKeys } from '../crypto/agreement.ts';
import type { ProvenTree } from '../crypto/provenTree.ts';
import { maskSalt, pairSeed, pairSign, selfSeed } from '../crypto/seeds.ts';
import { combineShares } from '../crypto/shamir.ts';
import type { IndexedShare } from '../crypto/shamir.ts';
import { provesShare, seedCommitmentOf, shareTree } from './dealing.ts';
import type { Secret } from './dealing.ts';
import type { Binding, Body, Dealing, OpenedShare } from './messages.ts';
import { indexIn } from './roster.ts';
import type { Roster } from './roster.ts';
import type { MaskBinding } from './roundKeys.ts';

/** A dealer whose valid shares do not give what it committed to. */
export class DealerFault extends HushError {
  readonly dealer: ParticipantId;

  constructor(dealer: ParticipantId, message: string) {
    super('unmask/dealer', message, { trace: [`dealer ${dealer}`] });
    this.dealer = dealer;
  }
}

export interface UnmaskContext {
  readonly roster: Roster;
  readonly dealings: readonly Dealing[];
  readonly survivors: readonly ParticipantId[];
}

/** What of the dealers' trees the answers have proven so far; gone once they are put together. */
const trees = new WeakMap<Roster, Map<ParticipantId, ProvenTree>>();

/**
 * Checks the answer of `holder`, and gives what is kept of it: proofs are most of an answer, and are of no use any more.
 * @throws HushError `unmask/…` naming what is wrong with it: duplicate, not-asked, proof.
 */
export function checkUnmask(context: UnmaskContext, holder: ParticipantId, body: Body<'unmask'>): Body<'unmask'> {
  const alive = new Set(context.survivors);
  return {
    selfShares: checkShares(context, holder, 'seed', body.selfShares, (dealer) => alive.has(dealer)),
    keyShares: checkShares(context, holder, 'key', body.keyShares, (dealer) => !alive.has(dealer)),
  };
}

function checkShares(
  { roster, dealings }: UnmaskContext,
  holder: ParticipantId,
  secret: Secret,
  shares: readonly OpenedShare[],
  asked: (dealer: ParticipantId) => boolean,
): OpenedShare[] {
  const wrong = (code: `unmask/${string}`, dealer: ParticipantId, message: string): HushError =>
    new HushError(code, message, { trace: [`holder ${holder}`, `dealer ${dealer}`] });
  const known = trees.get(roster) ?? new Map<ParticipantId, ProvenTree>();
  trees.set(roster, known);
  const roots = new Map(dealings.map(([dealer, shareRoot]) => [dealer, shareRoot]));
  const seen = new Set<ParticipantId>();
  const holderIndex = indexIn(roster, holder);
  return shares.map(([dealer, share, salt, proof]): OpenedShare => {
    const root = roots.get(dealer);
    if (root === undefined || !asked(dealer))
      throw wrong('unmask/not-asked', dealer, 'A share that was not asked for.');
    if (seen.has(dealer)) throw wrong('unmask/duplicate', dealer, 'Two shares of one secret.');
    seen.add(dealer);
    const tree = known.get(dealer) ?? shareTree(roster, root);
    known.set(dealer, tree);
    if (!provesShare(secret, { share, salt, proof }, roster, holderIndex, tree)) {
      throw wrong('unmask/proof', dealer, 'A share that its dealer did not give.');
    }
    return [dealer, ownBytes(share), new Uint8Array(), []];
  });
}

/**
 * The masks to add so that only the survivors' vectors remain: their self masks with −1, and what each survivor added for
 * somebody who dropped out, the other way round. `answers` are checked ones.
 * @throws HushError `unmask/too-few` below the threshold for some secret; DealerFault.
 */
export async function masksToUndo(
  context: UnmaskContext,
  binding: Binding,
  round: number,
  maskBinding: MaskBinding,
  answers: ReadonlyMap<ParticipantId, Body<'unmask'>>,
): Promise<readonly MaskSeed[]> {
  const { roster, dealings, survivors } = context;
  trees.delete(roster);
  const alive = new Set(survivors);
  const members = new Map(roster.members.map((member) => [member.id, member]));
  const shares = sharesByDealer(roster, answers);
  const salt = maskSalt({ planHash: binding.planHash, ...maskBinding });
  const peers: PeerKeys = new Map();
  const seeds: MaskSeed[] = [];
  for (const [dealer, , seedCommitment] of dealings) {
    const secret = reconstruct(roster, dealer, shares.get(dealer) ?? []);
    if (alive.has(dealer)) {
      if (seedCommitmentOf(secret) !== seedCommitment) {
        throw new DealerFault(dealer, 'The self-mask seed is not the one that was committed to.');
      }
      seeds.push({ seed: selfSeed({ secret, salt, id: dealer, round }), sign: -1 });
      continue;
    }
    if ((await publicKeyOf(secret)) !== members.get(dealer)?.maskKey) {
      throw new DealerFault(dealer, 'The mask key is not the one that was advertised.');
    }
    const stray = survivors.map(async (survivor): Promise<MaskSeed> => {
      const member = members.get(survivor);
      if (member === undefined) throw new HushError('set/member', `${survivor} is not in the roster.`);
      const shared = await agree(secret, member.maskKey, peers);
      const seed = pairSeed({ shared, salt, a: survivor, b: dealer, round });
      return { seed, sign: pairSign(survivor, dealer) === 1 ? -1 : 1 };
    });
    seeds.push(...(await Promise.all(stray)));
  }
  return seeds;
}

/** In roster order, so that dealers whose holders are the same have the same weights (Shamir 1979). */
function sharesByDealer(
  roster: Roster,
  answers: ReadonlyMap<ParticipantId, Body<'unmask'>>,
): ReadonlyMap<ParticipantId, readonly IndexedShare[]> {
  const shares = new Map<ParticipantId, IndexedShare[]>();
  roster.members.forEach(({ id }, index) => {
    const body = answers.get(id);
    for (const [dealer, share] of body === undefined ? [] : [...body.selfShares, ...body.keyShares]) {
      const list = shares.get(dealer) ?? [];
      list.push({ index, share: ownBytes(share) });
      shares.set(dealer, list);
    }
  });
  return shares;
}

function reconstruct({ threshold }: Roster, dealer: ParticipantId, shares: readonly IndexedShare[]): Bytes {
  if (shares.length < threshold) {
    throw new HushError('unmask/too-few', `${shares.length} shares, expected at least ${threshold}.`, {
      trace: [`dealer ${dealer}`],
    });
  }
  return combineShares(shares.slice(0, threshold));
}
