/** The real summing worker, whose helpers take the masks of a large group off. */
import { expect, it } from 'vitest';
import type { MaskSeed } from '../../src/core/localWork.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { NO_FIGURES } from '../../src/core/figures.ts';
import { ringBits, sumBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { ClippedUpdate } from '../../src/core/updateStages.ts';
import { createSummerHost } from '../../src/platform/summerHost.ts';
import { initialise } from '../../src/update/initialise.ts';
import { mask } from '../../src/update/mask.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { quantise } from '../../src/update/quantise.ts';
import { startHelper } from '../../src/worker/helperWorker.ts';
import { expandStretch } from '../../src/worker/spreading.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';
import { seededPort } from '../reference/seededPort.ts';

const PLAN = digitsPlan({ hidden: [64] });
const PEOPLE = 3;
const MASKS_EACH = 150;

it('sums exactly under so many masks that they are spread', async () => {
  const model = initialise(PLAN.model, PLAN.seed);
  const sumSpec = trainingSumSpec(PLAN, model.length);
  const words = wordCount(sumSpec);
  // Enough to be spread.
  expect(words * PEOPLE * MASKS_EACH).toBeGreaterThan(2 ** 24);
  const random = SeededRandom.of(1);
  const figures = { training: { lossSum: 1, correct: 2, samples: 10 }, validation: NO_FIGURES, test: NO_FIGURES };
  const vectors = Array.from({ length: PEOPLE }, (_, i) => {
    const update = Float32Array.from({ length: model.length }, () => (random.below(1000) - 500) / 1e5) as ClippedUpdate;
    return quantise({ sumSpec, plan: PLAN, update, weight: 100, figures }, seededPort(i)).vector;
  });
  const masks = vectors.map(() =>
    Array.from({ length: MASKS_EACH }, (_, i): MaskSeed => ({ seed: random.bytes(32), sign: i % 2 === 0 ? 1 : -1 })),
  );
  const undone = masks.flat().map(({ seed, sign }): MaskSeed => ({ seed, sign: sign === 1 ? -1 : 1 }));

  const summer = createSummerHost();
  await summer.open({ plan: PLAN });
  await summer.load(model);
  await summer.begin({ round: 1, sumSpec, groupSizes: [PEOPLE] });
  for (const [i, vector] of vectors.entries()) {
    await summer.add(1, 0, mask(vector, ringBits(sumSpec, PEOPLE), masks[i]!));
  }
  await summer.unmask(1, 0, PEOPLE, undone);
  const { packedSum } = await summer.finish(1, PEOPLE, PEOPLE);
  const expected = vectors[0]!.map((word, i) => vectors.slice(1).reduce((sum, vector) => sum + vector[i]!, word));
  expect(unpackWords(packedSum, words, sumBits(sumSpec, PEOPLE))).toEqual(new Uint32Array(expected));
  summer.close();
});

it('has helpers that answer in order, after each other', async () => {
  const helper = startHelper();
  const random = SeededRandom.of(2);
  const masks = Array.from({ length: 5 }, (): MaskSeed => ({ seed: random.bytes(32), sign: -1 }));
  const stretches = [
    { firstWord: 0, count: 100_000, masks },
    { firstWord: 48, count: 17, masks: masks.slice(1) },
  ];
  expect(await Promise.all(stretches.map(helper))).toEqual(stretches.map(expandStretch));
});
