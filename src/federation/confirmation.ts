/** What a survivor signs in step 7, put together the same way by participant, coordinator and whoever reads the ledger. */
import type { Hash } from '../core/ids.ts';
import { figuresHashOf } from './record.ts';
import type { CompleteBody, SummedGroup, Told } from './record.ts';
import type { Confirmation } from './statements.ts';

/** What came of the sum. */
type Result = Told & Pick<CompleteBody, 'sumHash' | 'modelHashAfter' | 'sumSpecHash'>;

export function confirmationOf(
  result: Result,
  prevRecordHash: Hash,
  { rosterRoot, u1Root, u2Root }: Pick<SummedGroup, 'rosterRoot' | 'u1Root' | 'u2Root'>,
  sheetHash: Hash,
): Confirmation {
  const { sumHash, modelHashAfter, sumSpecHash } = result;
  return {
    sumHash,
    modelHashAfter,
    prevRecordHash,
    rosterRoot,
    u1Root,
    u2Root,
    sumSpecHash,
    sheetHash,
    figuresHash: figuresHashOf(result),
  };
}
