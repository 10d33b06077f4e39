/** The normalisation in front of a model: taken from statistics, and done to examples. */
import type { Examples } from './dataset.ts';
import type { Plan } from './plan.ts';
import { planLayout } from './planLayout.ts';
import type { LaidOutPlan } from './planLayout.ts';
import type { FederatedStatistics } from './statistics.ts';
import { statisticsLayout } from './statisticsLayout.ts';
import type { ModelParameters } from './updateStages.ts';

/** For each place of the last axis of the network's input. */
export interface Normalisation {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Views into `parameters`; undefined where the plan does not normalise. */
export function normalisationOf(plan: LaidOutPlan, parameters: ModelParameters): Normalisation | undefined {
  const { front } = planLayout(plan);
  if (front === 0) return undefined;
  return { mean: parameters.subarray(0, front / 2), variance: parameters.subarray(front / 2, front) };
}

/** For people and programs that have the model alone. */
export function normalisedFeatures(
  plan: Plan,
  parameters: ModelParameters,
): readonly { readonly name: string; readonly mean: number; readonly variance: number }[] | undefined {
  const normalisation = normalisationOf(plan, parameters);
  if (!normalisation) return undefined;
  const { mean, variance } = normalisation;
  const { features } = statisticsLayout(plan);
  return features.flatMap(({ name, of, first }) =>
    of === 'inputs' ? [{ name, mean: mean[first] ?? 0, variance: variance[first] ?? 1 }] : [],
  );
}

/**
 * A copy of the model that normalises by these statistics. What does not vary is only centred. A saved model that the plan
 * begins with keeps what it was trained with.
 */
export function withStatistics(
  plan: Plan,
  parameters: ModelParameters,
  { features }: FederatedStatistics,
): ModelParameters {
  const next = parameters.slice() as ModelParameters;
  const normalisation = normalisationOf(plan, next);
  if (!normalisation || plan.start) return next;
  const { mean, variance } = normalisation;
  statisticsLayout(plan).features.forEach(({ of, first, step }, i) => {
    const moments = features[i];
    if (of !== 'inputs' || !moments) return;
    for (let place = first; place < mean.length; place += step) {
      mean[place] = moments.mean;
      variance[place] = Math.fround(moments.variance) > 0 ? moments.variance : 1;
    }
  });
  return next;
}

/**
 * The examples as the model's network takes them: normalised where the plan says so, and 0 where a number is missing. Others
 * are given back as they are.
 */
export function networkExamples(plan: Plan, parameters: ModelParameters, examples: Examples): Examples {
  const normalisation = normalisationOf(plan, parameters);
  if (!normalisation) return withoutMissing(examples);
  const { mean, variance } = normalisation;
  const { inputs: given, inputScale } = examples;
  const deviation = Float64Array.from(variance, Math.sqrt);
  const inputs = new Float32Array(given.length);
  for (let i = 0, place = 0; i < inputs.length; i++) {
    const value = Math.fround((given[i] ?? 0) * inputScale);
    inputs[i] = Number.isNaN(value) ? 0 : (value - (mean[place] ?? 0)) / (deviation[place] ?? 1);
    place = place + 1 === mean.length ? 0 : place + 1;
  }
  return { ...examples, inputs, inputScale: 1 };
}

function withoutMissing(examples: Examples): Examples {
  const { inputs } = examples;
  if (!(inputs instanceof Float32Array) || !inputs.some(Number.isNaN)) return examples;
  return { ...examples, inputs: inputs.map((value) => (Number.isNaN(value) ? 0 : value)) };
}
