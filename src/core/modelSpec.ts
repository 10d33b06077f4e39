/** Built-in architectures, and the flat layout of their parameters, known without any training library. */
import { placeNetwork } from './layerShapes.ts';
import type { ParameterLayout } from './layerShapes.ts';
import type { Network } from './network.ts';
import type { Decoded } from './schema.ts';
import { integer, list, v } from './schema.ts';

const ACTIVATIONS = ['relu', 'tanh', 'sigmoid'] as const;

/** Dense layers over a flat input: 784-128-10 is `{inputs: 784, hidden: [128], outputs: 10}`. */
const mlpSchema = v.strictObject({
  architecture: v.literal('mlp'),
  inputs: integer(1, 1_000_000),
  hidden: list(integer(1, 65_536), 16),
  outputs: integer(1, 65_536),
  activation: v.picklist(ACTIVATIONS, `one of ${ACTIVATIONS.join(', ')}`),
});

export const modelSpecSchema = v.variant('architecture', [mlpSchema], 'one of mlp');

export type ModelSpec = Decoded<typeof modelSpecSchema>;

/** Widths of successive dense layers, input first. */
export function layerWidths(spec: ModelSpec): readonly number[] {
  return [spec.inputs, ...spec.hidden, spec.outputs];
}

export function parameterLayout(spec: ModelSpec): ParameterLayout {
  return placeNetwork(networkOf(spec)).layout;
}

/** The layers of an architecture, with the spec's sizes. */
export function networkOf(spec: ModelSpec): Network {
  const units = [...spec.hidden, spec.outputs];
  return {
    input: { kind: 'values', shape: [spec.inputs] },
    layers: units.map((units, i) => ({
      kind: 'dense',
      units,
      activation: i < spec.hidden.length ? spec.activation : 'linear',
      useBias: true,
    })),
    loss: 'softmax-cross-entropy',
  };
}
