/** Large files cross from a page to a script in pieces: one long text would hold up the page for seconds. */
import type { Page } from 'playwright';
import { afterEach, expect, it, vi } from 'vitest';
import type { BrowserApplication } from '../../src/main/browserApplication.ts';
import { scriptingOf } from '../../src/main/scripting.ts';
import { filesOf } from '../../tools/federate/files.ts';

const MIB = 1024 * 1024;
const TEXTS = { modelJson: '{}', card: '# Card', metricsTable: 'round', metrics: '', ledger: '' };

afterEach(() => vi.unstubAllGlobals());

/** A page that coordinates a federation with these files, and the answers that its script got. */
function pageWith(weights: Uint8Array, safetensors: Uint8Array) {
  const run = { files: () => Promise.resolve({ ...TEXTS, weights, safetensors }) };
  vi.stubGlobal('hushgrad', scriptingOf({ coordinated: [run] } as unknown as BrowserApplication));
  const answers: unknown[] = [];
  const evaluate = async (work: (given: unknown) => unknown, given: unknown): Promise<unknown> => {
    const answer = await work(given);
    answers.push(answer);
    return answer;
  };
  return { page: { evaluate } as unknown as Page, answers };
}

it('arrive whole, and no answer of the page is longer than a piece', async () => {
  const weights = Uint8Array.from({ length: MIB + 5 }, (_, i) => (i * 31) >>> 3);
  const safetensors = Uint8Array.from({ length: 3 * MIB }, (_, i) => i >>> 5);
  const { page, answers } = pageWith(weights, safetensors);
  const files = await filesOf(page);
  expect(files).toMatchObject(TEXTS);
  expect(Buffer.compare(files.weights, weights)).toBe(0);
  expect(Buffer.compare(files.safetensors, safetensors)).toBe(0);
  expect(answers.length).toBeGreaterThan(16);
  for (const answer of answers) expect(JSON.stringify(answer).length).toBeLessThan(400_000);
});

it('are not there before they were asked for', () => {
  const scripting = scriptingOf({ coordinated: [] } as unknown as BrowserApplication);
  expect(() => scripting.piece('weights', 0)).toThrow(RangeError);
});
