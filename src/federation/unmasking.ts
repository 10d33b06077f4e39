/**
 * The coordinator's side of step 5: shares are checked against what their dealers signed, put together, and turned into
 * the masks that must be undone. Whoever is at fault is named.
 */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { ParticipantId } from '../core/ids.ts';
import type { MaskSeed } from '../core/localWork.ts';
import { agree, publicKeyOf } from '../crypto/agreement.ts';
import { maskSalt, pairSeed, pairSign, selfSeed } from '../crypto/seeds.ts';
import { combineShares } from '../crypto/shamir.ts';
import { provesShare, seedCommitmentOf } from './dealing.ts';
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

/** @throws HushError `unmask/…` naming what is wrong with the answer of `holder`: duplicate, not-asked, proof. */
export function checkUnmask(context: UnmaskContext, holder: ParticipantId, body: Body<'unmask'>): void {
  const alive = new Set(context.survivors);
  checkShares(context, holder, 'seed', body.selfShares, (dealer) => alive.has(dealer));
  checkShares(context, holder, 'key', body.keyShares, (dealer) => !alive.has(dealer));
}

function checkShares(
  { roster, dealings }: UnmaskContext,
  holder: ParticipantId,
  secret: Secret,
  shares: readonly OpenedShare[],
  asked: (dealer: ParticipantId) => boolean,
): void {
  const wrong = (code: `unmask/${string}`, dealer: ParticipantId, message: string): HushError =>
    new HushError(code, message, { trace: [`holder ${holder}`, `dealer ${dealer}`] });
  const roots = new Map(dealings.map(([dealer, shareRoot]) => [dealer, shareRoot]));
  const seen = new Set<ParticipantId>();
  const holderIndex = indexIn(roster, holder);
  for (const [dealer, share, salt, proof] of shares) {
    const root = roots.get(dealer);
    if (root === undefined || !asked(dealer))
      throw wrong('unmask/not-asked', dealer, 'A share that was not asked for.');
    if (seen.has(dealer)) throw wrong('unmask/duplicate', dealer, 'Two shares of one secret.');
    seen.add(dealer);
    if (!provesShare(secret, { share, salt, proof }, roster, holderIndex, root)) {
      throw wrong('unmask/proof', dealer, 'A share that its dealer did not give.');
    }
  }
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
  const alive = new Set(survivors);
  const salt = maskSalt({ planHash: binding.planHash, ...maskBinding });
  const perDealer = await Promise.all(
    dealings.map(async ([dealer, , seedCommitment]): Promise<MaskSeed[]> => {
      const secret = reconstruct(context, alive.has(dealer) ? 'seed' : 'key', dealer, answers);
      if (alive.has(dealer)) {
        if (seedCommitmentOf(secret) !== seedCommitment) {
          throw new DealerFault(dealer, 'The self-mask seed is not the one that was committed to.');
        }
        return [{ seed: selfSeed({ secret, salt, id: dealer, round }), sign: -1 }];
      }
      if ((await publicKeyOf(secret)) !== roster.members[indexIn(roster, dealer)]?.maskKey) {
        throw new DealerFault(dealer, 'The mask key is not the one that was advertised.');
      }
      return Promise.all(survivors.map((survivor) => strayMask(roster, secret, dealer, survivor, salt, round)));
    }),
  );
  return perDealer.flat();
}

/** What `survivor` added for `dropout`, undone. */
async function strayMask(
  roster: Roster,
  dropoutKey: Bytes,
  dropout: ParticipantId,
  survivor: ParticipantId,
  salt: Bytes,
  round: number,
): Promise<MaskSeed> {
  const member = roster.members[indexIn(roster, survivor)];
  if (member === undefined) throw new HushError('set/member', `${survivor} is not in the roster.`);
  const shared = await agree(dropoutKey, member.maskKey);
  const seed = pairSeed({ shared, salt, a: survivor, b: dropout, round });
  return { seed, sign: pairSign(survivor, dropout) === 1 ? -1 : 1 };
}

function reconstruct(
  { roster }: UnmaskContext,
  secret: Secret,
  dealer: ParticipantId,
  answers: ReadonlyMap<ParticipantId, Body<'unmask'>>,
): Bytes {
  const shares = [...answers].flatMap(([holder, body]) => {
    const list = secret === 'seed' ? body.selfShares : body.keyShares;
    const found = list.find(([of]) => of === dealer);
    return found === undefined ? [] : [{ index: indexIn(roster, holder), share: new Uint8Array(found[1]) }];
  });
  if (shares.length < roster.threshold) {
    throw new HushError('unmask/too-few', `${shares.length} shares, expected at least ${roster.threshold}.`, {
      trace: [`dealer ${dealer}`],
    });
  }
  return combineShares(shares.slice(0, roster.threshold));
}
