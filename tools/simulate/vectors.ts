/** The vectors that simulated participants send: each follows from seeds, so that it can be made again to check a sum. */
import type { Plan } from '../../src/core/plan.ts';
import type { Figures } from '../../src/core/figures.ts';
import type { SumSpec } from '../../src/core/sumSpec.ts';
import type { ClippedUpdate, FieldVector, RawUpdate } from '../../src/core/updateStages.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { keystreamWords } from '../../src/crypto/prg.ts';
import { clip } from '../../src/update/clip.ts';
import { quantise } from '../../src/update/quantise.ts';
import { withCounts } from './figures.ts';
import { seededPort, seedFor } from './seeds.ts';

/** Which vector: that of one person in one round. */
export interface VectorSource {
  readonly seed: number;
  readonly person: number;
  readonly round: number;
}

/** One coordinate of a raw update is within this, either sign. */
const LARGEST_CHANGE = 0.05;

/** In place of training: uniform noise. */
export function trainedUpdate({ seed, person, round }: VectorSource, plan: Plan): ClippedUpdate {
  const words = keystreamWords(seedFor(seed, 'update', person, round), planLayout(plan).sentLength);
  const raw = new Float32Array(words.length) as RawUpdate;
  for (let i = 0; i < raw.length; i++) raw[i] = ((words[i] ?? 0) / 2 ** 31 - 1) * LARGEST_CHANGE;
  return clip(raw, plan.aggregation.clipNorm).clipped;
}

/** Training samples of a person, its weight in the mean. */
export function samplesOf(person: number): number {
  return 20 + (person % 41);
}

export function figuresOf(person: number, kind: SumSpec['kind'], plan: Plan): Figures {
  const samples = samplesOf(person);
  return {
    training:
      kind === 'train'
        ? { lossSum: samples * 1.5, correct: person % samples, samples }
        : { lossSum: 0, correct: 0, samples: 0 },
    validation: withCounts(plan, { lossSum: 2.25, correct: 5, samples: 10 }),
    test: withCounts(plan, { lossSum: 30.5, correct: person % 20, samples: 20 }),
  };
}

/** As it is masked; `update` may be given where it is at hand. */
export function vectorOf(source: VectorSource, sumSpec: SumSpec, plan: Plan, update?: ClippedUpdate): FieldVector {
  const { seed, person, round } = source;
  const trained = sumSpec.kind === 'train' ? (update ?? trainedUpdate(source, plan)) : undefined;
  const input = {
    sumSpec,
    plan,
    update: trained,
    weight: samplesOf(person),
    figures: figuresOf(person, sumSpec.kind, plan),
  };
  return quantise(input, seededPort(seedFor(seed, 'rounding', person, round))).vector;
}
