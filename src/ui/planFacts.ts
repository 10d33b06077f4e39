/** What a plan means for the people in it: sizes and counts that follow from its fields. */
import { inputsOf, layerWidths, outputsOf } from '../core/modelSpec.ts';
import type { ExpectedData } from '../core/dataSchema.ts';
import type { ModelSpec } from '../core/modelSpec.ts';
import { groupMinimum, MAX_GROUP, threshold } from '../core/plan.ts';
import type { DataSplit, Plan } from '../core/plan.ts';
import { planLayout } from '../core/planLayout.ts';
import { packedLength, ringBits, trainingSumSpec, wordCount } from '../core/sumSpec.ts';
import { admissionWords } from './admissionText.ts';
import { bytes, count, quantity } from './format.ts';

/** The smallest number of updates whose sum is ever unmasked in a group of `size`. */
export function fewestSummed(plan: Plan, size: number): number {
  return Math.max(threshold(plan.security.mode, size), groupMinimum(plan));
}

/** How many people are in one group of a round of `people`, on average; all of them where the plan has no groups. */
export function meanGroup(plan: Plan, people: number): number {
  return Math.min(people, plan.aggregation.groupSize ?? MAX_GROUP);
}

/** Bytes of one masked update in a group of `size` people. */
export function maskedUpdateBytes(plan: Plan, size: number): number {
  const spec = trainingSumSpec(plan);
  return packedLength(wordCount(spec), ringBits(spec, size));
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export function planFacts(plan: Plan): readonly Fact[] {
  const { aggregation, training, model, data, security } = plan;
  const { minimum, target } = aggregation.cohort;
  const group = meanGroup(plan, target);
  const stay = fewestSummed(plan, group);
  const balance = training.balance === 'oversample' ? ', rare classes repeated' : '';
  return [
    { name: 'Model', value: `${modelWords(model)} (${model.architecture})` },
    { name: 'Parameters', value: count(planLayout(plan).length) },
    ...(plan.start ? [{ name: 'Begins with', value: 'a saved model, which the coordinator gives out' }] : []),
    ...dataFacts(data),
    {
      name: 'Local training',
      value: `${quantity(training.epochs, 'epoch', 'epochs')}, batches of ${training.batchSize}${balance}`,
    },
    { name: 'Rounds', value: count(aggregation.rounds) },
    { name: 'People needed', value: minimum === target ? count(target) : `${minimum} at least, ${target} wanted` },
    ...(aggregation.groupSize === undefined
      ? []
      : [{ name: 'Groups', value: `of ${aggregation.groupSize} people on average, drawn at random in each round` }]),
    { name: 'Bits of a value', value: count(aggregation.bits) },
    { name: 'Masked update', value: `${bytes(maskedUpdateBytes(plan, group))} from each person, each round` },
    {
      name: 'Security',
      value:
        security.mode === 'active'
          ? `holds against a coordinator that cheats; of ${group}, ${stay} must stay`
          : `holds against a coordinator that follows the rules; of ${group}, ${stay} must stay`,
    },
    { name: 'Admission', value: admissionWords(security.admission, security.names.length) },
  ];
}

function dataFacts(data: Plan['data']): readonly Fact[] {
  if (data.kind === 'private') {
    return [{ name: 'Data', value: `everybody’s own: ${expectedWords(data.schema)}` }];
  }
  const { name, shards, split, schema, licence } = data;
  const kind = schema ? `: ${expectedWords(schema)}` : '';
  return [
    { name: 'Data', value: `${name}, public, ${splitWords(split, shards)}${kind}` },
    { name: 'Licence of the data', value: licence },
  ];
}

/** Who gets what of a public data set. */
function splitWords(split: DataSplit, shards: number): string {
  switch (split.kind) {
    case 'iid':
      return quantity(shards, 'shard', 'shards');
    case 'label':
      return `${quantity(shards, 'shard', 'shards')} of few classes each`;
    case 'dirichlet':
      return `${quantity(shards, 'shard', 'shards')} with classes in unlike shares`;
    case 'natural':
      return `one of its own ${quantity(shards, 'part', 'parts')} for each person`;
    default:
      return split satisfies never;
  }
}

/** In a few words, what files a plan asks people for. */
export function expectedWords(expected: ExpectedData): string {
  switch (expected.kind) {
    case 'images': {
      const { height, width, channels, classes } = expected;
      const colour = channels === 1 ? 'grey' : 'colour';
      return `images in ${quantity(classes.length, 'class', 'classes')}, made ${height} × ${width}, ${colour}`;
    }
    case 'table': {
      const { columns, target } = expected;
      const used = columns.filter(({ type }) => type !== 'ignored').length;
      return `a table with ${quantity(used, 'column', 'columns')} to learn from and “${target.name}” to learn`;
    }
    case 'text':
      return `text, in pieces of ${quantity(expected.length, 'token', 'tokens')}`;
    default:
      return expected satisfies never;
  }
}

/** What is peculiar to this model of its architecture. */
function modelWords(model: ModelSpec): string {
  switch (model.architecture) {
    case 'mlp':
      return `${layerWidths(model).join('–')}, ${model.activation}`;
    case 'linear':
      return `${model.inputs}–${model.outputs}`;
    case 'lenet':
    case 'cnn':
      return `images of ${model.height} × ${model.width} × ${model.channels}, ${quantity(model.outputs, 'class', 'classes')}`;
    case 'resnet': {
      const { height, width, channels, filters, blocksPerStage, outputs } = model;
      const blocks = `3 stages of ${quantity(blocksPerStage, 'block', 'blocks')}, ${quantity(filters, 'filter', 'filters')} in the first`;
      return `${blocks}, images of ${height} × ${width} × ${channels}, ${quantity(outputs, 'class', 'classes')}`;
    }
    case 'gpt':
      return `${quantity(model.layers, 'block', 'blocks')} of width ${model.width}, ${quantity(model.heads, 'head', 'heads')}, ${textWords(model)}`;
    case 'lstm':
      return `${quantity(model.units, 'unit', 'units')}, ${textWords(model)}`;
    case 'layers': {
      const { length } = model.topology.config.layers;
      const by = model.weights ? ', trained by tfjs layers' : '';
      return `${quantity(length, 'layer', 'layers')} of a model file${by}, ${count(inputsOf(model).size)} inputs, ${count(outputsOf(model).size)} outputs`;
    }
    default:
      return model satisfies never;
  }
}

function textWords({ length, vocabulary }: { readonly length: number; readonly vocabulary: number }): string {
  return `texts of ${quantity(length, 'token', 'tokens')} out of ${count(vocabulary)}`;
}
