/** Trying a model: figures made as MNIST's were, rows encoded as for training, texts drawn token by token. */
import { describe, expect, test } from 'vitest';
import { answerOf, softmax, truthOf } from '../../src/core/answer.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { continueText, draw } from '../../src/core/continueText.ts';
import type { ExpectedTable, ExpectedText } from '../../src/core/dataSchema.ts';
import type { Examples } from '../../src/core/dataset.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { tryInputOf } from '../../src/core/tryOut.ts';
import type { Drawing } from '../../src/core/tryOut.ts';
import { drawnFigure, inkOf } from '../../src/data/drawing.ts';
import { RowEncoder } from '../../src/data/rowEncoder.ts';
import { rowExample } from '../../src/data/tryExamples.ts';
import { seededPort } from '../reference/seededPort.ts';
import { planDocument } from '../support/planDocument.ts';

const SIDE = 280;

function drawing(inked: (x: number, y: number) => boolean): Drawing {
  const ink = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (inked(i % SIDE, Math.floor(i / SIDE)) ? 255 : 0));
  return { side: SIDE, ink };
}

function extent(figure: Uint8Array) {
  const inked = [...figure.keys()].filter((i) => (figure[i] ?? 0) > 127);
  const [columns, rows] = [inked.map((i) => i % 28), inked.map((i) => Math.floor(i / 28))];
  return { left: Math.min(...columns), right: Math.max(...columns), top: Math.min(...rows), bottom: Math.max(...rows) };
}

describe('a drawn figure', () => {
  test('is 20 pixels long and in the middle, wherever and however large it was drawn', () => {
    const small = drawnFigure(
      drawing((x, y) => x >= 20 && x < 40 && y >= 200 && y < 240),
      28,
    );
    const large = drawnFigure(
      drawing((x, y) => x >= 70 && x < 190 && y >= 30 && y < 270),
      28,
    );
    expect(extent(small)).toEqual({ left: 9, right: 18, top: 4, bottom: 23 });
    expect(extent(large)).toEqual(extent(small));
  });

  test('keeps its ink when it is scaled', () => {
    const bar = drawnFigure(
      drawing((x, y) => x >= 100 && x < 120 && y >= 40 && y < 240),
      28,
    );
    expect(bar.reduce((sum, value) => sum + value, 0) / 255).toBeCloseTo(40, 0);
  });

  test('has its centre of mass in the middle, not that of its box', () => {
    const heavy = drawnFigure(
      drawing((x, y) => (x < 40 && y < 200) || (x < 100 && y >= 180 && y < 200)),
      28,
    );
    let [total, sumX, sumY] = [0, 0, 0];
    heavy.forEach((value, i) => {
      total += value;
      sumX += value * ((i % 28) + 0.5);
      sumY += value * (Math.floor(i / 28) + 0.5);
    });
    expect(sumX / total).toBeCloseTo(14, 1);
    expect(sumY / total).toBeCloseTo(14, 1);
  });

  test('of nothing is nothing, and dark on paper is ink', () => {
    expect(
      drawnFigure(
        drawing(() => false),
        28,
      ).every((value) => value === 0),
    ).toBe(true);
    const paper = Uint8Array.from({ length: 25 }, (_, i) => (i === 12 ? 30 : 240));
    const night = paper.map((value) => 255 - value);
    for (const grey of [paper, night]) {
      expect([...inkOf(grey, 5).ink].map((value) => value > 0)).toEqual(Array.from({ length: 25 }, (_, i) => i === 12));
    }
  });
});

const TABLE: ExpectedTable = {
  kind: 'table',
  columns: [
    {
      name: 'island',
      type: 'category',
      categories: { kind: 'list', names: ['Biscoe', 'Dream'] },
      missing: 'own category',
    },
    { name: 'mass', type: 'number', missing: 'mean', normalise: { mean: 4200, deviation: 800 } },
    { name: 'notes', type: 'ignored' },
    { name: 'bill', type: 'number', missing: 'mean' },
  ],
  target: { name: 'price', kind: 'value', normalise: { mean: 100, deviation: 20 } },
};

describe('a row', () => {
  const row = (cells: Readonly<Record<string, string>>): Examples => rowExample(new Map(Object.entries(cells)), TABLE);

  test('is encoded as a row of the training data is', () => {
    const encoder = new RowEncoder(TABLE, ['island', 'mass', 'bill', 'price'], ',', [['Dream', '5000', '39.1', '120']]);
    expect(encoder.encode(['Dream', '5000', '39.1', '120'])).toBeUndefined();
    expect(row({ island: 'Dream', mass: '5000', bill: '39.1' }).inputs).toEqual(encoder.features);
    expect([...row({ bill: '1' }).inputs]).toEqual([0, 0, 1, 0, 1]);
  });

  test.each([
    [{ island: 'Torgersen', bill: '1' }, /"island" is "?Torgersen"?, expected one of Biscoe, Dream/],
    [{ bill: 'long' }, /"bill" is "?long"?, expected a number/],
    [{}, /"bill" is empty, expected a value/],
  ])('%o is refused', (cells, message) => {
    expect(() => row(cells as Record<string, string>)).toThrow(message);
  });
});

describe('an answer', () => {
  const document = planDocument();
  const { plan } = parsePlan(utf8(JSON.stringify(document)));

  test('has the probabilities of all classes, the largest first', () => {
    const answer = answerOf(plan, Float32Array.of(0, Math.log(3), 0));
    expect(answer).toEqual({
      kind: 'classes',
      classes: [
        { name: 'b', probability: expect.closeTo(0.6, 6) },
        { name: 'a', probability: expect.closeTo(0.2, 6) },
        { name: 'c', probability: expect.closeTo(0.2, 6) },
      ],
    });
    expect(truthOf(plan, 1)).toBe('b');
  });

  test('is a value in the unit of the target', () => {
    const priced = {
      ...document,
      task: { kind: 'regression' },
      data: { kind: 'private', schema: TABLE },
      model: { architecture: 'linear', inputs: 5, outputs: 1, loss: 'mean-squared-error' },
    };
    const { plan: ofPrices } = parsePlan(utf8(JSON.stringify(priced)));
    expect(answerOf(ofPrices, Float32Array.of(1.5))).toEqual({ kind: 'value', value: 130 });
    expect(truthOf(ofPrices, -0.5)).toBe('90');
    expect(tryInputOf(ofPrices)).toEqual({ kind: 'data', expected: expect.objectContaining({ kind: 'table' }) });
    // Five values are no square image.
    expect(tryInputOf(plan)).toBeUndefined();
  });
});

describe('a text', () => {
  const expected: ExpectedText = { kind: 'text', tokens: { kind: 'bytes' }, length: 4, stride: 4 };
  /** Gives the byte after the last one as by far the most probable, and keeps what it was asked. */
  const counting = (asked: number[][] = []) => ({
    expected,
    vocabulary: 256,
    random: seededPort(4),
    predict: async ({ inputs }: Examples) => {
      asked.push([...inputs]);
      const outputs = new Float32Array(4 * 256);
      inputs.forEach((token, place) => (outputs[place * 256 + ((token + 1) % 256)] = 50));
      return outputs;
    },
  });
  const write = async (
    change: { prompt?: string; temperature?: number; tokens?: number; signal?: AbortSignal },
    writer = counting(),
  ): Promise<readonly string[]> => {
    const texts: string[] = [];
    const signal = new AbortController().signal;
    await continueText(
      { prompt: 'ab', temperature: 0, tokens: 3, signal, onText: (text) => texts.push(text), ...change },
      writer,
    );
    return texts;
  };

  test('goes on token by token, each time with the last ones that the model can see', async () => {
    const asked: number[][] = [];
    expect(await write({}, counting(asked))).toEqual(['c', 'cd', 'cde']);
    expect(asked).toEqual([
      [97, 98, 0, 0],
      [97, 98, 99, 0],
      [97, 98, 99, 100],
    ]);
    asked.length = 0;
    await write({ prompt: 'uvwxyz', tokens: 1 }, counting(asked));
    expect(asked).toEqual([[...utf8('wxyz')]]);
    asked.length = 0;
    await write({ prompt: '', tokens: 1 }, counting(asked));
    expect(asked).toEqual([[10, 0, 0, 0]]);
  });

  test('shows no half letter while more may come, and none that is wrong afterwards', async () => {
    // 0xC3 begins "é" or another letter of two bytes; 0xC4 after it is no continuation.
    expect(await write({ prompt: '\u00c2'.slice(0, 1), tokens: 1 })).toEqual(['\uFFFD']);
    const bytes = [0xc3, 0xa9, 0x21];
    const spelling = { ...counting(), predict: async () => new Float32Array(4 * 256).fill(0) };
    let at = 0;
    spelling.predict = async () => {
      const outputs = new Float32Array(4 * 256);
      for (let place = 0; place < 4; place++) outputs[place * 256 + (bytes[at] ?? 0)] = 9;
      at++;
      return outputs;
    };
    expect(await write({}, spelling)).toEqual(['', 'é', 'é!']);
  });

  test('stops when it is told to, and passes on why the model cannot be asked', async () => {
    const control = new AbortController();
    const texts: string[] = [];
    const onText = (text: string): void => {
      texts.push(text);
      if (texts.length === 2) control.abort();
    };
    await continueText({ prompt: 'a', temperature: 0, tokens: 100, signal: control.signal, onText }, counting());
    expect(texts).toEqual(['b', 'bc']);
    const failing = { ...counting(), predict: () => Promise.reject(new Error('no engine')) };
    await expect(write({}, failing)).rejects.toThrow('no engine');
  });

  test('is drawn as probable as the model has it at a temperature of 1', () => {
    const logits = Float32Array.of(Math.log(0.7), Math.log(0.2), Math.log(0.1));
    const random = seededPort(9);
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[draw(logits, 1, random)]!++;
    expect(counts.map((count) => count / 4000)).toEqual([0.7, 0.2, 0.1].map((p) => expect.closeTo(p, 1)));
    expect(draw(logits, 0, random)).toBe(0);
    expect(softmax(logits, 0.5)[0]).toBeCloseTo(0.49 / (0.49 + 0.04 + 0.01), 5);
  });
});
