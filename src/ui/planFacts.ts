/** What a plan means for the people in it: sizes and counts that follow from its fields. */
import { layerWidths, parameterLayout } from '../core/modelSpec.ts';
import { threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { packedLength, ringBits, trainingSumSpec, wordCount } from '../core/sumSpec.ts';
import { bytes, count, quantity } from './format.ts';

/** The smallest number of updates whose sum is ever unmasked in a round of `size`. */
export function fewestSummed(plan: Plan, size: number): number {
  const { mode } = plan.security;
  return Math.max(threshold(mode, size), plan.aggregation.cohort.minimum, 3);
}

/** Bytes of one masked update in a round of `size` people. */
export function maskedUpdateBytes(plan: Plan, size: number): number {
  const spec = trainingSumSpec(plan, parameterLayout(plan.model).length);
  return packedLength(wordCount(spec), ringBits(spec, size));
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export function planFacts(plan: Plan): readonly Fact[] {
  const { aggregation, training, model, data, security } = plan;
  const { minimum, target } = aggregation.cohort;
  const stay = fewestSummed(plan, target);
  return [
    { name: 'Model', value: `${layerWidths(model).join('–')}, ${model.activation} (${model.architecture})` },
    { name: 'Parameters', value: count(parameterLayout(model).length) },
    { name: 'Data', value: `${data.name}, public, ${quantity(data.shards, 'shard', 'shards')}` },
    {
      name: 'Local training',
      value: `${quantity(training.epochs, 'epoch', 'epochs')}, batches of ${training.batchSize}`,
    },
    { name: 'Rounds', value: count(aggregation.rounds) },
    { name: 'People needed', value: minimum === target ? count(target) : `${minimum} at least, ${target} wanted` },
    { name: 'Bits of a value', value: count(aggregation.bits) },
    { name: 'Masked update', value: `${bytes(maskedUpdateBytes(plan, target))} from each person, each round` },
    {
      name: 'Security',
      value:
        security.mode === 'active'
          ? `holds against a coordinator that cheats; of ${target}, ${stay} must stay`
          : `holds against a coordinator that follows the rules; of ${target}, ${stay} must stay`,
    },
    { name: 'Admission', value: security.admission === 'link' ? 'whoever has the link' : 'anyone' },
  ];
}
