/** The bar of a terminal: how much, how much longer, and nothing at all elsewhere. */
import { expect, it } from 'vitest';
import { durationText, ProgressBar } from '../../tools/progress.ts';

function barOn(screen: { readonly isTTY: boolean; readonly columns: number }) {
  const written: string[] = [];
  let nowMs = 1000;
  const bar = new ProgressBar({ ...screen, write: (text: string) => written.push(text) }, () => nowMs);
  return { bar, written, pass: (ms: number) => (nowMs += ms) };
}

it('tells the part that is done and the time that is left, and goes away', () => {
  const { bar, written, pass } = barOn({ isTTY: true, columns: 120 });
  bar.show(0, 'first model');
  pass(30_000);
  bar.show(0.25, 'after round 1');
  bar.clear();
  const [first = '', second = '', last] = written;
  expect(first).toBe(`\r\u001b[K${'░'.repeat(24)} 0 % · first model`);
  expect(second).toBe(`\r\u001b[K${'█'.repeat(6)}${'░'.repeat(18)} 25 % · 1 min 30 s left · after round 1`);
  expect(last).toBe('\r\u001b[K');
});

it('keeps to one line, and writes nothing where there is no terminal', () => {
  const narrow = barOn({ isTTY: true, columns: 30 });
  narrow.bar.show(0.5, 'a long text');
  expect(narrow.written[0]?.replace('\r\u001b[K', '')).toHaveLength(29);
  const none = barOn({ isTTY: false, columns: 80 });
  none.bar.show(0.5, 'a text');
  none.bar.clear();
  expect(none.written).toEqual([]);
});

it.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [61_000, '1 min 1 s'],
  [7_260_000, '2 h 1 min'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
