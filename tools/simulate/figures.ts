/** Made-up figures that hold together: what a plan counts goes with the hits. */
import { countsOf, countsSpecOf } from '../../src/core/counts.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { PartFigures } from '../../src/core/figures.ts';

/** All samples are of the first class, the misses taken for the second; of values each target is −1, each error 0.5. */
export function withCounts(plan: Plan, figures: PartFigures): PartFigures {
  const spec = countsSpecOf(plan);
  if (!spec) return figures;
  const { samples, correct } = figures;
  const amounts =
    spec.kind === 'classes' ? [correct, samples - correct] : [samples / 2, samples / 4, 0, samples, samples];
  const all = [...amounts, ...Array<number>(spec.integers - amounts.length).fill(0)];
  return { ...figures, counts: countsOf(spec.kind, all) };
}
