/** Numbers as people read them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytes,
  coordinate,
  count,
  countdown,
  duration,
  grouped,
  loss,
  percent,
  quantity,
  rate,
  shortHash,
} from '../../src/ui/format.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [812, '812 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1240, '1.2 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [118_900, '119 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [2_660_000, '2.7 MB'],
    [5.2e12, '5.2 TB'],
    [4.2e15, '4,200 TB'],
    [undefined, '–'],
    [Number.NaN, '–'],
  ])('%s is %s', (value, shown) => expect(plain(bytes(value))).toBe(shown));

  it('never shows more than three digits below 1,000 TB, and never says less than half or more than twice', () => {
    const factor: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e14 }), (value) => {
        const [figure = '', unit = ''] = plain(bytes(value)).split(' ');
        expect(figure.replace('.', '').length).toBeLessThanOrEqual(3);
        expect((Number(figure) * (factor[unit] ?? 0)) / value).toBeCloseTo(1, 0);
      }),
    );
  });
});

describe('fractions and losses', () => {
  it.each([
    [0.946, '94.6 %'],
    [0, '0.0 %'],
    [1, '100.0 %'],
    [0.99999, '99.9 %'],
    [undefined, '–'],
  ])('%s is %s', (value, shown) => expect(plain(percent(value))).toBe(shown));

  it('shows a step as whole per cent, and 100 % only when it is done', () => {
    expect(plain(percent(0.64, 0))).toBe('64 %');
    expect(plain(percent(0.999, 0))).toBe('99 %');
    expect(plain(percent(1, 0))).toBe('100 %');
  });

  it.each([
    [0.1871, '0.187'],
    [2.3126, '2.313'],
    [9.9999, '10.0'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('a loss of %s is %s', (value, shown) => expect(loss(value)).toBe(shown));
});

describe('time', () => {
  it.each([
    [0, '0 s'],
    [0.024, '24 ms'],
    [0.1, '0.1 s'],
    [3.42, '3.4 s'],
    [9.96, '10 s'],
    [42.4, '42 s'],
    [89.4, '89 s'],
    [90, '1 min 30 s'],
    [120, '2 min'],
    [3599, '59 min 59 s'],
    [11_100, '3 h 5 min'],
    [7199, '2 h'],
  ])('%s s is %s', (value, shown) => expect(plain(duration(value))).toBe(shown));

  it('counts down in whole seconds, rounded up, and not below 0', () => {
    expect([8.01, 8, 0.2, 0, -3].map((value) => plain(countdown(value)))).toEqual(['9 s', '8 s', '1 s', '0 s', '0 s']);
  });
});

it('counts, rates, hashes and coordinates', () => {
  expect(count(101_770)).toBe('101,770');
  expect(count(undefined)).toBe('–');
  expect(plain(quantity(1, 'other', 'others'))).toBe('1 other');
  expect(plain(quantity(7, 'other', 'others'))).toBe('7 others');
  expect(plain(rate(41_230))).toBe('41,000 samples/s');
  expect(rate(0)).toBe('–');
  expect(shortHash('b3f091ce77aa02d1')).toBe('b3f0 91ce');
  expect(shortHash(undefined)).toBe('–');
  expect(grouped('b3f091ce77')).toBe('b3f0 91ce 77');
  expect([0.0031, -0.012, 12.5].map(coordinate)).toEqual([' 0.0031', '-0.0120', '12.5000']);
});
