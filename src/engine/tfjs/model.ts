/** What a local training asks of a network on tfjs, however its gradients are found. */
import { cast, oneHot, tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { RowBatch } from '../batches.ts';

/** One batch on the device. */
export interface Batch {
  readonly rows: number;
  /** Shape [rows, ...input]; int32 where the network takes tokens. */
  readonly inputs: Tensor;
  /**
   * Shape [predictions, values of one]: with softmax cross-entropy a 1 at the class and 0 elsewhere, otherwise the
   * targets of one row.
   */
  readonly expected: Tensor2D;
  /** Shape [predictions], int32; with softmax cross-entropy only. */
  readonly classes: Tensor1D | undefined;
}

export interface Learned {
  /** Of the batch's mean loss: one for each block that is learned, in the order of the layout. */
  readonly gradients: readonly Tensor[];
  /** New values of the blocks that are statistics, in the order of the layout. */
  readonly statistics: readonly Tensor[];
  /** As `LossRule.predict` gives it. */
  readonly predicted: Tensor2D;
}

/** Its functions are called inside a tidy; `parameters` has one tensor for each block of the layout. */
export interface TensorModel {
  /** `dropoutKeyOf` gives the key of a layer by its index. */
  learn(parameters: readonly Tensor[], batch: Batch, dropoutKeyOf: (layer: number) => number): Learned;
  /** What the last layer gives outside of training, shape [predictions, values of one]; `inputs` as in a `Batch`. */
  output(parameters: readonly Tensor[], inputs: Tensor): Tensor2D;
  /** Gives back what it holds beside its parameters, if anything. */
  dispose?(): void;
}

/** To be called inside a tidy. */
export function uploadInputs(rows: number, inputs: RowBatch['inputs'], { network, input }: PlacedNetwork): Tensor {
  return tensor(inputs, [rows, ...input], network.input.kind === 'tokens' ? 'int32' : 'float32');
}

/** To be called inside a tidy. */
export function upload({ rows, inputs, targets }: RowBatch, placed: PlacedNetwork): Batch {
  const { network, output } = placed;
  const uploaded = uploadInputs(rows, inputs, placed);
  if (network.loss !== 'softmax-cross-entropy') {
    return { rows, inputs: uploaded, expected: tensor2d(targets, [rows, sizeOf(output)]), classes: undefined };
  }
  const classes = tensor1d(targets, 'int32');
  // As int32 first: asked for float32, the wasm kernel of tfjs 4.22 writes the bits of an integer.
  const expected: Tensor2D = cast(oneHot(classes, output.at(-1) ?? 1) as Tensor2D, 'float32');
  return { rows, inputs: uploaded, expected, classes };
}
