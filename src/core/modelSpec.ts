/** Built-in architectures, and the flat layout of their parameters, known without any training library. */
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

/** How a parameter starts: uniform in ±limit (Glorot and Bengio 2010, section 4.2.1), or zero. */
export type Initialiser = { readonly kind: 'uniform'; readonly limit: number } | { readonly kind: 'zeros' };

export interface ParameterBlock {
  /** As tfjs layers names the weight, e.g. "dense_1/kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
  readonly initialiser: Initialiser;
}

/** Where every tensor lies in the flat parameter vector. */
export interface ParameterLayout {
  readonly blocks: readonly ParameterBlock[];
  /** Number of parameters, d. */
  readonly length: number;
}

/** Widths of successive dense layers, input first. */
export function layerWidths(spec: ModelSpec): readonly number[] {
  return [spec.inputs, ...spec.hidden, spec.outputs];
}

export function parameterLayout(spec: ModelSpec): ParameterLayout {
  const widths = layerWidths(spec);
  const blocks: ParameterBlock[] = [];
  let offset = 0;
  const add = (name: string, shape: readonly number[], initialiser: Initialiser): void => {
    const length = shape.reduce((product, size) => product * size, 1);
    blocks.push({ name, shape, offset, length, initialiser });
    offset += length;
  };
  for (let layer = 1; layer < widths.length; layer++) {
    const fanIn = widths[layer - 1] ?? 0;
    const fanOut = widths[layer] ?? 0;
    add(`dense_${layer}/kernel`, [fanIn, fanOut], { kind: 'uniform', limit: Math.sqrt(6 / (fanIn + fanOut)) });
    add(`dense_${layer}/bias`, [fanOut], { kind: 'zeros' });
  }
  return { blocks, length: offset };
}
