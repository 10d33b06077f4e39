/** How the shape that a Keras layer gives follows from its options and what it is given. */
import type { Shape } from './layerShapes.ts';
import { parseDocument, v } from './schema.ts';
import { described } from './topology.ts';
import type { KerasLayer } from './topology.ts';

/** Ends with an error that names the layer, what it is given and what was expected. */
export type Wrong = (expected: string) => never;

/** Shapes of one example, without the batch. */
export type Rule = (layer: KerasLayer, given: Shape, wrong: Wrong) => Shape;

const ACTIVATION_NAMES = [
  'linear',
  'relu',
  'relu6',
  'elu',
  'selu',
  'tanh',
  'sigmoid',
  'hard_sigmoid',
  'softplus',
  'softsign',
  'softmax',
  'log_softmax',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
];
export const activation = v.nullish(v.picklist(ACTIVATION_NAMES, `one of ${ACTIVATION_NAMES.join(', ')}`));

/** A rule for layers with these options. */
export function of<const Entries extends v.ObjectEntries>(
  entries: Entries,
  rule: (config: v.InferOutput<v.LooseObjectSchema<Entries, undefined>>, given: Shape, wrong: Wrong) => Shape,
): Rule {
  const schema = v.looseObject(entries);
  return (layer, given, wrong) =>
    rule(parseDocument(schema, layer.config, described(layer), 'model/unsupported'), given, wrong);
}
