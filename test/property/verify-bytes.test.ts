/** Whatever byte of a run's files is changed, to whatever value, wherever: the run is refused, and nothing else is thrown. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyRun } from '../../tools/verify/verifyRun.ts';
import type { FileName } from '../../tools/verify/verifyRun.ts';
import { finishedRun, withByte } from '../support/finishedRun.ts';
import type { FinishedRun } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';

const NONE = { key: undefined, federation: undefined };

let run: FinishedRun;

beforeAll(async () => {
  const plan = planDocument({ rounds: 1, people: 8 });
  run = await finishedRun({ ...plan, aggregation: { ...plan.aggregation, groupSize: 4 } }, 8);
});

afterAll(() => run.room.close());

const proven: readonly FileName[] = ['plan.json', 'ledger.jsonl', 'weights.bin', 'model.json'];

test('a changed byte is refused, and its file is told', async () => {
  expect((await verifyRun(run.files, NONE)).problems).toEqual([]);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...proven),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (name, place, flip) => {
        const at = place % run.files[name].length;
        const { ok, problems } = await verifyRun(
          withByte(run.files, name, at, (run.files[name][at] ?? 0) ^ flip),
          NONE,
        );
        expect(ok).toBe(false);
        // A plan that is another one, though valid, shows in the ledger, which names the first.
        const told =
          name === 'plan.json' ? /^(plan\.json|ledger\.jsonl): / : new RegExp(`^${name.replace('.', '\\.')}: `);
        expect(problems[0]).toMatch(told);
      },
    ),
    { numRuns: 400 },
  );
});

test('bytes put in, taken out or repeated are refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...proven),
      fc.nat(),
      fc.integer({ min: 0, max: 64 }),
      fc.uint8Array({ maxLength: 64 }),
      async (name, place, taken, put) => {
        const bytes = run.files[name];
        const at = place % bytes.length;
        const changed = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]);
        fc.pre(!changed.equals(bytes));
        expect((await verifyRun({ ...run.files, [name]: new Uint8Array(changed) }, NONE)).ok).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});

test('files of any content are refused, and nothing is thrown', async () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => new TextEncoder().encode(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...proven), anything, async (name, bytes) => {
      expect((await verifyRun({ ...run.files, [name]: bytes }, NONE)).ok).toBe(false);
    }),
    { numRuns: 200 },
  );
});
