/** Keras layers by their class, as layers of a network; an option that a network does not have is refused by its name. */
import { HushError } from './errors.ts';
import type { Shape } from './layerShapes.ts';
import { sizeOf } from './layerShapes.ts';
import type { Activation, Extent, Layer } from './network.ts';
import { finite, integer, parseDocument, v } from './schema.ts';

type Config = Readonly<Record<string, unknown>>;

/** Layers that follow one another, none where the values pass unchanged. @throws HushError `model/unsupported`. */
type Convert = (config: Config, given: Shape, what: string) => readonly Layer[];

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: 'linear',
  relu: 'relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  // By tanh; Keras's own "gelu" is by the error function.
  gelu_new: 'gelu',
};
const NAMES = Object.keys(ACTIVATIONS);

const activation = v.nullish(
  v.pipe(
    v.picklist(NAMES, `one of ${NAMES.join(', ')}`),
    v.transform((name): Activation => ACTIVATIONS[name] ?? 'linear'),
  ),
  'linear',
);

export const size = integer(1, 65_536);

export const extent = v.pipe(
  v.union([size, v.tuple([size, size])], 'a size or two, each from 1 to 65536'),
  v.transform((given): Extent => (typeof given === 'number' ? [given, given] : given)),
);

export const windowed = {
  padding: v.nullish(v.picklist(['same', 'valid'], 'one of same, valid'), 'valid'),
  data_format: only('channels_last'),
};

const convolution = {
  ...windowed,
  kernel_size: extent,
  strides: v.nullish(extent, 1),
  dilation_rate: v.nullish(
    v.pipe(
      extent,
      v.check(([height, width]) => height === 1 && width === 1, '1'),
    ),
  ),
  groups: only(1),
  activation,
  use_bias: v.nullish(v.boolean('true or false'), true),
};

/** Without a field, Keras has this value too. */
export function only<const Value extends string | number | boolean>(value: Value) {
  return v.nullish(v.literal(value, String(value)), value);
}

/** The class's fields, those apart that say how it begins and what it is called. */
function of<const Entries extends v.ObjectEntries>(
  entries: Entries,
  make: (
    config: v.InferOutput<v.LooseObjectSchema<Entries, undefined>>,
    given: Shape,
    wrong: (field: string, got: unknown, expected: string) => HushError,
  ) => readonly Layer[],
): Convert {
  const schema = v.looseObject(entries);
  return (config, given, what) => {
    const wrong = (field: string, got: unknown, expected: string): HushError =>
      new HushError('model/unsupported', `${what}: "${field}" is ${JSON.stringify(got)}, expected ${expected}.`);
    return make(parseDocument(schema, config, what, 'model/unsupported'), given, wrong);
  };
}

function pooling(kind: 'maxPool2d' | 'averagePool2d'): Convert {
  const fields = { ...windowed, pool_size: v.nullish(extent, 2), strides: v.nullish(extent) };
  return of(fields, ({ pool_size: poolSize, strides, padding }) => [
    { kind, poolSize, strides: strides ?? poolSize, padding },
  ]);
}

const axis = v.nullish(v.union([v.number(), v.array(v.number())], 'an axis'), -1);

/** Of the last axis, however it is counted: with the batch, from the end, alone in a list. */
function isLast(axis: number | readonly number[], given: Shape): boolean {
  const axes = [axis].flat();
  return axes.length === 1 && (axes[0] === -1 || axes[0] === given.length);
}

const FLATTEN: Layer = { kind: 'flatten' };

/** By class; `Add`, `InputLayer` and a last `Softmax` are the network's own business. */
export const KERAS_LAYERS: Readonly<Record<string, Convert>> = {
  Dense: of({ units: size, activation, use_bias: convolution.use_bias }, ({ units, activation, use_bias: useBias }) => [
    { kind: 'dense', units, activation, useBias },
  ]),
  Conv2D: of({ ...convolution, filters: size }, (config) => {
    const { filters, kernel_size: kernelSize, strides, padding, activation, use_bias: useBias } = config;
    return [{ kind: 'conv2d', filters, kernelSize, strides, padding, activation, useBias }];
  }),
  DepthwiseConv2D: of({ ...convolution, depth_multiplier: v.nullish(size, 1) }, (config) => {
    const { depth_multiplier: depthMultiplier, kernel_size: kernelSize, use_bias: useBias } = config;
    const { strides, padding, activation } = config;
    return [{ kind: 'depthwiseConv2d', depthMultiplier, kernelSize, strides, padding, activation, useBias }];
  }),
  MaxPooling2D: pooling('maxPool2d'),
  AveragePooling2D: pooling('averagePool2d'),
  GlobalAveragePooling2D: of({ data_format: only('channels_last'), keepdims: only(false) }, (_, given) => {
    const poolSize: Extent = [given[0] ?? 1, given[1] ?? 1];
    return [{ kind: 'averagePool2d', poolSize, strides: poolSize, padding: 'valid' }, FLATTEN];
  }),
  BatchNormalization: of(
    {
      axis,
      momentum: v.nullish(finite(0, 1), 0.99),
      epsilon: v.nullish(finite(1e-12, 1), 1e-3),
      center: only(true),
      scale: only(true),
      renorm: only(false),
    },
    ({ axis, momentum, epsilon }, given, wrong) => {
      if (!isLast(axis, given)) throw wrong('axis', axis, 'the last one, -1');
      return [{ kind: 'batchNorm', momentum, epsilon }];
    },
  ),
  LayerNormalization: of(
    { axis, epsilon: v.nullish(finite(1e-12, 1), 1e-3), center: only(true), scale: only(true) },
    ({ axis, epsilon }, given, wrong) => {
      if (!isLast(axis, given)) throw wrong('axis', axis, 'the last one, -1');
      return [{ kind: 'layerNorm', epsilon }];
    },
  ),
  Dropout: of({ rate: finite(0, 0.99), noise_shape: v.nullish(v.null()) }, ({ rate }) => [{ kind: 'dropout', rate }]),
  Embedding: of({ input_dim: size, output_dim: size, mask_zero: only(false) }, ({ output_dim: width }) => [
    { kind: 'embedding', width, positions: false },
  ]),
  LSTM: of(
    {
      units: size,
      activation: only('tanh'),
      // Without it tfjs takes "hard_sigmoid" and Keras "sigmoid".
      recurrent_activation: v.literal('sigmoid', 'sigmoid'),
      use_bias: only(true),
      return_sequences: v.literal(true, 'true'),
      return_state: only(false),
      time_major: only(false),
      go_backwards: only(false),
      stateful: only(false),
      dropout: only(0),
      recurrent_dropout: only(0),
    },
    ({ units }) => [{ kind: 'lstm', units }],
  ),
  Activation: of({ activation }, ({ activation }) =>
    activation === 'linear' ? [] : [{ kind: 'activation', activation }],
  ),
  ReLU: of({ max_value: v.nullish(v.null()), negative_slope: only(0), threshold: only(0) }, () => [
    { kind: 'activation', activation: 'relu' },
  ]),
  Flatten: of({ data_format: only('channels_last') }, () => [FLATTEN]),
  Reshape: of({ target_shape: targetShape() }, ({ target_shape: wanted }, given, wrong) => {
    const target = reshaped(wanted, given);
    if (target?.join() === given.join()) return [];
    if (target?.length === 1) return [FLATTEN];
    throw wrong('target_shape', wanted, `[${sizeOf(given)}], or another shape right after the input`);
  }),
};

/** tfjs writes null where a size follows from the others. */
export function targetShape() {
  return v.pipe(
    v.array(v.nullable(integer(-1, 1_000_000), -1)),
    v.minLength(1, 'a shape'),
    v.maxLength(3, 'at most 3 sizes'),
  );
}

/** A Keras target shape, in which one size may be −1: what is left. Undefined when the values do not fit. */
export function reshaped(wanted: Shape, given: Shape): Shape | undefined {
  const known = wanted.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const target = wanted.map((size) => (size === -1 ? sizeOf(given) / known : size));
  const fits = target.every((size) => Number.isInteger(size) && size > 0) && sizeOf(target) === sizeOf(given);
  return fits ? target : undefined;
}
