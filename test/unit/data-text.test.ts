/** Text of a person's own: tokens, windows, and their targets one further on. */
import { describe, expect, it } from 'vitest';
import { BytePairs } from '../../src/core/bytePairs.ts';
import { networkInput } from '../../src/core/dataShape.ts';
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import { file, reader, reportOf } from '../support/privateFiles.ts';

const EXPECTED = { kind: 'text', tokens: { kind: 'bytes' }, length: 4, stride: 4 };
const codes = (text: string): number[] => [...new TextEncoder().encode(text)];

describe('text', () => {
  it('is cut into windows whose targets are the tokens one further on', async () => {
    const opened = reader(EXPECTED);
    await opened.add([file('a.txt', 'abcdefghij')]);
    const { training } = opened.split(0, 1);
    expect(training).toMatchObject({ count: 2, width: 4, labelWidth: 4, inputScale: 1 });
    expect(training.inputs).toBeInstanceOf(Uint8Array);
    expect([...training.inputs]).toEqual(codes('abcdefgh'));
    expect([...training.labels]).toEqual(codes('bcdefghi'));
    expect(opened.report().preview).toMatchObject([
      { file: 'a.txt', row: null, source: ['abcd'] },
      { file: 'a.txt', row: null, source: ['efgh'] },
    ]);
  });

  it('of several files is joined by a zero, windows overlapping by the stride', async () => {
    const opened = reader({ ...EXPECTED, stride: 2 });
    await opened.add([file('a.txt', 'abc'), file('b.txt', 'déf')]);
    const { training } = opened.split(0, 1);
    expect([...training.inputs]).toEqual([...codes('abc'), 0, ...codes('c\0d'), 0xc3]);
    expect(opened.report()).toMatchObject({ rows: 2, kept: 2, files: 2 });
  });

  it('of a column of a table is one document a row', async () => {
    const opened = reader({ ...EXPECTED, column: 'said' });
    await opened.add([file('a.csv', 'id,said\n1,"ab\ncd"\n2,\n3,e,f\n4,efgh\n')]);
    expect([...opened.split(0, 1).training.inputs]).toEqual(codes('ab\ncd\0ef'));
    expect(opened.report().refused.first).toMatchObject([
      { row: 3, column: 'said', value: '""', expected: 'text' },
      { row: 4, value: '3 cells', expected: '2, as the header has' },
    ]);
  });

  it('too short for one example is told of', async () => {
    const report = await reportOf(EXPECTED, file('a.txt', 'abcd'));
    expect(report).toMatchObject({
      kept: 0,
      warnings: ['All text has 4 tokens, expected at least 5 for one example.'],
    });
  });

  it.each([
    ['empty', ''],
    ['an image', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)],
  ])('that is %s is refused, the rest kept', async (_, content) => {
    const report = await reportOf(EXPECTED, file('a.txt', 'abcdefgh'), file('b.txt', content), file('c.txt', 'ijklm'));
    expect(report.refused.first).toMatchObject([{ file: 'b.txt' }]);
    expect(report.kept).toBe(3);
  });

  it('keeps validation apart from what is trained on, though windows overlap', async () => {
    const opened = reader({ ...EXPECTED, stride: 1 });
    const letters = Array.from({ length: 120 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('');
    await opened.add([file('a.txt', letters.slice(0, 90))]);
    const { training, validation } = opened.split(0.2, 7);
    expect(validation.count).toBe(17);
    const seen = new Set([...training.inputs, ...training.labels]);
    expect([...validation.inputs, ...validation.labels].filter((token) => seen.has(token))).toEqual([]);
    expect(opened.split(0.2, 7).validation.inputs).toEqual(validation.inputs);
  });
});

describe('byte pair encoding', () => {
  // h e → he, l l → ll, he ll → hell, space w → "Ġw".
  const MERGES = ['h e', 'l l', 'he ll', 'Ġ w', 'Ã ©'];

  it.each([
    ['hello', [258, ...codes('o')]],
    ['he', [256]],
    ['hell', [258]],
    ['lll', [257, ...codes('l')]],
    // Not across words: the piece is " ll".
    ['he ll', [256, ...codes(' '), 257]],
    ['hi wow', [...codes('hi'), 259, ...codes('ow')]],
    ['é', [260]],
    ['è', codes('è')],
    ['', []],
  ])('of %j', (text, tokens) => {
    const pairs = BytePairs.of(MERGES);
    expect(pairs.encode(text)).toEqual(tokens);
    expect(pairs.decode(tokens)).toBe(text);
  });

  it('applies the merge that comes first in the list, not the one that comes first in the text', () => {
    expect(BytePairs.of(['b c', 'a b']).encode('abc')).toEqual([...codes('a'), 256]);
    expect(BytePairs.of(['a b', 'b c']).encode('abc')).toEqual([256, ...codes('c')]);
  });

  it.each([
    [['a b c'], 0],
    [['ab c'], 0],
    [['a b', 'a b'], 1],
    [['a'], 0],
  ])('refuses the merges %j', (merges, at) => {
    const given = { ...EXPECTED, tokens: { kind: 'bpe', merges } };
    expect(() => parseExpectedData(given)).toThrow(
      expect.objectContaining({ code: 'plan/invalid', message: expect.stringContaining(`"tokens.merges.${at}"`) }),
    );
  });

  it('gives the same tokens however the file is cut', async () => {
    const text = 'hello wow  he\n\n well é '.repeat(60_000);
    const expected = { ...EXPECTED, tokens: { kind: 'bpe', merges: MERGES }, length: 1000, stride: 1000 };
    const opened = reader(expected);
    await opened.add([file('a.txt', text)]);
    const whole = BytePairs.of(MERGES).encode(text);
    const { inputs } = opened.split(0, 1).training;
    expect(inputs).toBeInstanceOf(Int32Array);
    expect(inputs.length).toBe(1000 * Math.floor((whole.length - 1) / 1000));
    expect(inputs.every((token, i) => token === whole[i])).toBe(true);
    expect(networkInput(parseExpectedData(expected))).toEqual({ kind: 'tokens', length: 1000, vocabulary: 261 });
  });
});
