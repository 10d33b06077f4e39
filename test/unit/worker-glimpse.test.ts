/** The few values that a person sees of an update and of what is sent for it stand at the same place. */
import { expect, test } from 'vitest';
import type { MaskedUpdate, RawUpdate } from '../../src/core/updateStages.ts';
import { packWords } from '../../src/update/pack.ts';
import { maskedGlimpse, rawGlimpse } from '../../src/worker/glimpse.ts';

test('looks past weights that hardly moved, to the place where all nine moved most', () => {
  const small = new Float32Array(64) as RawUpdate;
  small.fill(0.001).fill(0.5, 40, 49);
  expect(rawGlimpse(small).start).toBe(40);
  const raw = new Float32Array(64) as RawUpdate;
  raw.fill(0.12345, 17);
  expect(rawGlimpse(raw)).toEqual({ start: 24, values: Array.from({ length: 9 }, () => 0.1235) });
});

test('shows the beginning when nothing moved', () => {
  expect(rawGlimpse(new Float32Array(30) as RawUpdate)).toEqual({
    start: 0,
    values: Array.from({ length: 9 }, () => 0),
  });
});

test.each([5, 14, 18, 32])('reads masked words of %i bits from that place on', (bits) => {
  const words = Uint32Array.from({ length: 60 }, (_, i) => (i * 2_654_435_761) % 2 ** bits);
  const masked = packWords(words, bits) as MaskedUpdate;
  const digits = Math.ceil(bits / 4);
  const expected = Array.from(words.subarray(24, 36), (word) => word.toString(16).padStart(digits, '0'));
  expect(maskedGlimpse(masked, bits, 24)).toEqual(expected);
});
