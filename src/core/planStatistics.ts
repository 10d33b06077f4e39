/** What of a plan's statistics and frozen layers goes together with its data and its model. */
import { layerNames, planLayout } from './planLayout.ts';
import type { Plan } from './plan.ts';
import type { Refuse } from './planFit.ts';
import { placeNetwork } from './layerShapes.ts';
import { networkOf } from './modelSpec.ts';
import { MAX_TALLIES, schemaOf, statisticsLayout } from './statisticsLayout.ts';

export function checkStatistics(plan: Plan, refuse: Refuse): void {
  checkFrozen(plan, refuse);
  if (plan.statistics === undefined) return;
  const { normalise } = plan.statistics;
  const { tallies } = statisticsLayout(plan);
  const count = tallies.reduce((sum, { length }) => sum + length, 0);
  if (count > MAX_TALLIES) refuse('statistics', `${count} categories and tokens`, `at most ${MAX_TALLIES} to count`);
  const schema = schemaOf(plan);
  if (normalise && networkOf(plan.model).input.kind === 'tokens') {
    refuse('statistics.normalise', true, 'false for text, which has no numbers');
  }
  if (schema?.kind === 'images' && normalise && schema.normalise) {
    refuse('data.schema.normalise', schema.normalise, 'none with statistics.normalise, which finds it');
  }
  if (schema?.kind !== 'table') return;
  const { input } = networkOf(plan.model);
  if (normalise && input.kind === 'values' && input.shape.length !== 1) {
    refuse('statistics.normalise', true, `false for a model that takes a row as ${input.shape.join(' × ')}`);
  }
  schema.columns.forEach((column, i) => {
    if (column.type !== 'number' && column.type !== 'date') return;
    const field = `data.schema.columns.${i}`;
    if (normalise && column.normalise) {
      refuse(`${field}.normalise`, column.normalise, 'none with statistics.normalise, which finds it');
    }
    if (!normalise && !column.normalise && column.missing === 'mean') {
      refuse(`${field}.missing`, 'mean', 'another, or statistics.normalise, by which the mean is known');
    }
  });
}

function checkFrozen(plan: Plan, refuse: Refuse): void {
  const { frozen = [] } = plan.training;
  if (frozen.length === 0) return;
  const names = placeNetwork(networkOf(plan.model)).layers.flatMap(layerNames);
  frozen.forEach((name, i) => {
    if (!names.includes(name)) refuse(`training.frozen.${i}`, name, `one of ${names.join(', ')}`);
    if (frozen.indexOf(name) !== i) refuse(`training.frozen.${i}`, name, 'each layer once');
  });
  if (!planLayout(plan).blocks.some(({ role }) => role === 'learned')) {
    refuse('training.frozen', frozen, 'at least one layer to be left to train');
  }
}
