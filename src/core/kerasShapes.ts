/** The Keras layers that tfjs layers trains: what shape each gives, and which of its options it cannot train. */
import { HushError } from './errors.ts';
import { only, reshaped, size, targetShape } from './kerasLayers.ts';
import { activation, of } from './kerasRule.ts';
import type { Rule, Wrong } from './kerasRule.ts';
import { WINDOW_RULES } from './kerasWindows.ts';
import { sizeOf } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import { finite, integer, parseDocument, v } from './schema.ts';
import { checkTraining, described, unsupported } from './topology.ts';
import type { KerasLayer } from './topology.ts';

/** A recurrent layer takes so many steps at most, one after the other. */
const MAX_STEPS = 4096;

/** A layer gives so many values of one example at most. */
const MAX_OUTPUT = 2 ** 24;

const rate = finite(0, 0.99);

const same: Rule = of({ activation }, (_, given) => given);

const recurrent: Rule = of(
  {
    units: size,
    activation,
    recurrent_activation: activation,
    return_sequences: v.nullish(v.boolean('true or false'), false),
    return_state: only(false),
    stateful: only(false),
    time_major: only(false),
    // tfjs layers has the gates of the first paper alone.
    reset_after: only(false),
    dropout: v.nullish(rate, 0),
    recurrent_dropout: v.nullish(rate, 0),
  },
  ({ units, return_sequences }, given, wrong) => {
    const [steps = 0] = given;
    if (given.length !== 2 || steps > MAX_STEPS) wrong(`[length, width] of at most ${MAX_STEPS} steps`);
    return return_sequences ? [steps, units] : [units];
  },
);

const RECURRENT = ['SimpleRNN', 'GRU', 'LSTM'];
const MERGES = ['concat', 'sum', 'mul', 'ave'];

const bidirectional: Rule = (layer, given, wrong) => {
  const inner = innerLayer(layer);
  if (!RECURRENT.includes(inner.class_name))
    throw unsupported(`In ${described(layer)}: ${described(inner)}`, 'a recurrent layer');
  const { merge_mode } = parseDocument(BIDIRECTIONAL, layer.config, described(layer), 'model/unsupported');
  const output = recurrent(inner, given, wrong);
  const units = output.at(-1) ?? 0;
  return [...output.slice(0, -1), merge_mode === 'concat' ? 2 * units : units];
};
const BIDIRECTIONAL = v.looseObject({
  merge_mode: v.nullish(v.picklist(MERGES, `one of ${MERGES.join(', ')}`), 'concat'),
});

const timeDistributed: Rule = (layer, given, wrong) => {
  const [steps = 0, ...rest] = given;
  if (rest.length === 0 || steps > MAX_STEPS) wrong(`[length, …] of at most ${MAX_STEPS} steps`);
  const inner = innerLayer(layer);
  // Of what it follows in training tfjs layers keeps the last step alone.
  if (inner.class_name === 'BatchNormalization')
    throw unsupported(`In ${described(layer)}: ${described(inner)}`, 'another layer');
  return [steps, ...kerasShape(inner, [rest])];
};

const WRAPPED = v.looseObject({
  layer: v.looseObject({ class_name: v.string(), config: v.looseObject({ name: v.nullish(v.string(), 'inner') }) }),
});

/** Of a wrapper. */
export function innerLayer(layer: KerasLayer): KerasLayer {
  const inner = parseDocument(WRAPPED, layer.config, described(layer), 'model/unsupported').layer;
  checkTraining(inner, described(inner));
  return inner;
}

/** By class, of layers that read one other. */
const RULES: Readonly<Record<string, Rule>> = {
  Dense: of({ units: size, activation }, ({ units }, given) => [...given.slice(0, -1), units]),
  Activation: same,
  ReLU: same,
  LeakyReLU: same,
  ELU: same,
  ThresholdedReLU: same,
  PReLU: same,
  // tfjs counts with the batch, Keras from the end.
  Softmax: of({ axis: v.nullish(v.number(), -1) }, ({ axis }, given, wrong) =>
    axis === -1 || axis === given.length ? given : wrong(`values whose last axis is ${axis}`),
  ),
  Dropout: of({ rate, noise_shape: v.nullish(v.null()) }, (_, given) => given),
  SpatialDropout1D: of({ rate }, (_, given, wrong) => (given.length === 2 ? given : wrong('[length, channels]'))),
  // Without one of the two tfjs layers cannot train it.
  BatchNormalization: of({ center: only(true), scale: only(true) }, (_, given) => given),
  LayerNormalization: same,
  Flatten: of({ data_format: only('channels_last') }, (_, given) => [sizeOf(given)]),
  Reshape: of(
    { target_shape: targetShape() },
    ({ target_shape }, given, wrong) =>
      reshaped(target_shape, given) ?? wrong(`what fits into [${target_shape.join(', ')}]`),
  ),
  Permute: of({ dims: v.array(integer(1, 8)) }, ({ dims }, given, wrong) => {
    const axes = new Set(dims);
    if (dims.length !== given.length || axes.size !== dims.length || Math.max(...dims) > given.length) {
      wrong(`${dims.length} axes to permute as [${dims.join(', ')}]`);
    }
    return dims.map((axis) => given[axis - 1] ?? 0);
  }),
  RepeatVector: of({ n: integer(1, MAX_STEPS) }, ({ n }, given, wrong) =>
    given.length === 1 ? [n, ...given] : wrong('one row of values'),
  ),
  Embedding: of({ output_dim: size, mask_zero: only(false) }, ({ output_dim }, given) => [...given, output_dim]),
  ...WINDOW_RULES,
  SimpleRNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  Bidirectional: bidirectional,
  TimeDistributed: timeDistributed,
};

const ELEMENTWISE = ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum'];

const CONCATENATED = v.looseObject({ axis: v.nullish(integer(-8, 8), -1) });

const KNOWN = ['InputLayer', ...Object.keys(RULES), ...ELEMENTWISE, 'Concatenate'].join(', ');

/** `given`: what each layer that is read gives. @throws HushError `model/unsupported`, `model/shape`, naming the layer. */
export function kerasShape(layer: KerasLayer, given: readonly Shape[]): Shape {
  const what = described(layer);
  const wrong: Wrong = (expected) => {
    const shapes = given.map((shape) => `[${shape.join(', ')}]`).join(' and ');
    throw new HushError('model/shape', `${what} is given ${shapes}, expected ${expected}.`);
  };
  const output = shapeOf(layer, given, wrong, what);
  if (sizeOf(output) > MAX_OUTPUT) {
    throw new HushError('model/shape', `${what} gives ${sizeOf(output)} values, expected at most ${MAX_OUTPUT}.`);
  }
  return output;
}

function shapeOf(layer: KerasLayer, given: readonly Shape[], wrong: Wrong, what: string): Shape {
  const [first = [], ...others] = given;
  const { class_name } = layer;
  if (ELEMENTWISE.includes(class_name)) {
    if (others.length === 0 || others.some((shape) => shape.join() !== first.join())) wrong('two or more of one shape');
    return first;
  }
  if (class_name === 'Concatenate') {
    const { axis: counted } = parseDocument(CONCATENATED, layer.config, what, 'model/unsupported');
    // Counted with the batch, or from the end.
    const axis = counted < 0 ? first.length + counted : counted - 1;
    const rest = (shape: Shape): string => shape.toSpliced(axis, 1).join();
    const fits = axis >= 0 && axis < first.length && others.every((shape) => shape.length === first.length);
    if (others.length === 0 || !fits || others.some((shape) => rest(shape) !== rest(first))) {
      wrong(`two or more that differ along axis ${counted} alone`);
    }
    return first.with(
      axis,
      given.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0),
    );
  }
  const rule = Object.hasOwn(RULES, class_name) ? RULES[class_name] : undefined;
  if (!rule) throw unsupported(`${what} is of a class that is not known here`, `one of ${KNOWN}`);
  if (others.length > 0) wrong('the output of one layer');
  return rule(layer, first, wrong);
}
