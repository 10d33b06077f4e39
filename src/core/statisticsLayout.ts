/** What a plan's statistics are of: numbers with a mean and a variance, and things that are counted. */
import type { ExpectedData, ExpectedTable } from './dataSchema.ts';
import { featureWidth, vocabularySize } from './dataShape.ts';
import type { Plan } from './plan.ts';

/** More counts than this would fill the record of a round. */
export const MAX_TALLIES = 100_000;

interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** Numbers that have one mean and one variance. */
export interface MeasuredFeature {
  readonly name: string;
  readonly of: 'inputs' | 'targets';
  /** Its first value in an example, and from one to the next; of a column there is one. */
  readonly first: number;
  readonly step: number;
  /** By which the plan itself has normalised the values. */
  readonly scale: Scale | undefined;
}

/** Things that are counted side by side. */
export interface Tally {
  readonly name: string;
  /** `classes` of the labels, `flags` of so many inputs from `first` on, `tokens` of all inputs. */
  readonly of: 'classes' | 'flags' | 'tokens';
  readonly first: number;
  readonly length: number;
  /** Undefined for buckets and tokens, which have numbers. */
  readonly names: readonly string[] | undefined;
  /** Below the plan's minimum support a person's count is sent as 0. */
  readonly supported: boolean;
}

export interface StatisticsLayout {
  readonly features: readonly MeasuredFeature[];
  readonly tallies: readonly Tally[];
}

export function statisticsLayout(plan: Plan): StatisticsLayout {
  const schema = schemaOf(plan);
  switch (schema?.kind) {
    case 'table':
      return ofTable(schema);
    case 'text': {
      const length = vocabularySize(schema.tokens);
      const tokens: Tally = { name: 'tokens', of: 'tokens', first: 0, length, names: undefined, supported: true };
      return { features: [], tallies: [tokens] };
    }
    case 'images':
      return { features: channels(schema.channels), tallies: [classes('class', schema.classes)] };
    case undefined: {
      const { task, model } = plan;
      return {
        features: channels('channels' in model ? model.channels : 1),
        tallies: task.kind === 'classification' ? [classes('class', task.classes)] : [],
      };
    }
    default:
      return schema satisfies never;
  }
}

/** Undefined for public images, whose shape the model alone tells. */
export function schemaOf({ data }: Pick<Plan, 'data'>): ExpectedData | undefined {
  return 'schema' in data ? data.schema : undefined;
}

function ofTable({ columns, target }: ExpectedTable): StatisticsLayout {
  const features: MeasuredFeature[] = [];
  const tallies: Tally[] = [];
  const width = columns.reduce((sum, column) => sum + featureWidth(column), 0);
  let first = 0;
  for (const column of columns) {
    const length = featureWidth(column);
    if (column.type === 'number' || column.type === 'date') {
      features.push({ name: column.name, of: 'inputs', first, step: width, scale: column.normalise });
    } else if (column.type === 'category') {
      const { categories, missing, name } = column;
      const listed = categories.kind === 'list' ? categories.names : undefined;
      const names = listed && missing === 'own category' ? [...listed, '(missing)'] : listed;
      tallies.push({ name, of: 'flags', first, length, names, supported: !listed });
    }
    first += length;
  }
  if (target.kind === 'class') return { features, tallies: [classes(target.name, target.classes), ...tallies] };
  const value: MeasuredFeature = { name: target.name, of: 'targets', first: 0, step: 1, scale: target.normalise };
  return { features: [...features, value], tallies };
}

function classes(name: string, names: readonly string[]): Tally {
  return { name, of: 'classes', first: 0, length: names.length, names, supported: false };
}

const COLOURS = ['red', 'green', 'blue'];

function channels(count: number): readonly MeasuredFeature[] {
  const nameOf = (channel: number): string => {
    if (count === 1) return 'pixels';
    return count === COLOURS.length ? `${COLOURS[channel]}` : `channel ${channel + 1}`;
  };
  return Array.from({ length: count }, (_, channel): MeasuredFeature => {
    return { name: nameOf(channel), of: 'inputs', first: channel, step: count, scale: undefined };
  });
}
