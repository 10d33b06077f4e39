/** Any network on tfjs: layer by layer forward, and automatic differentiation back. */
import { add, clone, dispose, grads, keep, reshape } from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import { registerGradients } from './gradients.ts';
import { applyLayer } from './layers.ts';
import type { Pass } from './layers.ts';
import { lossRule, meanLoss } from './losses.ts';
import type { LossRule } from './losses.ts';
import type { Batch, Learned, TensorModel } from './model.ts';

registerGradients();

export class AutodiffModel implements TensorModel {
  readonly #placed: PlacedNetwork;
  readonly #rule: LossRule;

  constructor(placed: PlacedNetwork) {
    this.#placed = placed;
    this.#rule = lossRule(placed.network.loss);
  }

  learn(parameters: readonly Tensor[], batch: Batch, dropoutKeyOf: (layer: number) => number): Learned {
    const { blocks } = this.#placed.layout;
    const isLearned = (_: Tensor, i: number): boolean => blocks[i]?.role === 'learned';
    // What the forward pass makes is disposed at its end, but for what is kept.
    const kept: Tensor[] = [];
    const hold = <T extends Tensor>(tensor: T): T => {
      kept.push(keep(tensor));
      return tensor;
    };
    const statistics: Tensor[] = [];
    const follow = (next: readonly Tensor[]): void => void statistics.push(...next.map(hold));
    let predicted: Tensor2D | undefined;
    const loss = (...learned: Tensor[]): Tensor => {
      const next = learned.values();
      const all = parameters.map((parameter, i) =>
        isLearned(parameter, i) ? (next.next().value as Tensor) : parameter,
      );
      const output = this.#forward(all, batch.inputs, { training: true, dropoutKeyOf, follow });
      return meanLoss(this.#rule, batch, (values) => (predicted = hold(values)))(output);
    };
    try {
      const gradients = grads(loss)(parameters.filter(isLearned));
      if (!predicted) throw new RangeError('the forward pass gave nothing');
      return { gradients, statistics: statistics.map((next) => clone(next)), predicted: clone(predicted) };
    } finally {
      dispose(kept);
    }
  }

  output(parameters: readonly Tensor[], inputs: Tensor): Tensor2D {
    return this.#forward(parameters, inputs, { training: false, dropoutKeyOf: () => 0, follow: () => undefined });
  }

  /** Shape [predictions, values of one]. */
  #forward(parameters: readonly Tensor[], inputs: Tensor, pass: Pass): Tensor2D {
    const [rows] = inputs.shape as [number];
    const outputs: Tensor[] = [];
    const outputOf = (index: number): Tensor => (index === -1 ? inputs : outputs[index]) as Tensor;
    let taken = 0;
    const { layers, output, predictions } = this.#placed;
    for (const placed of layers) {
      const weights = parameters.slice(taken, (taken += placed.blocks.length));
      const { layer, from } = placed;
      const given = applyLayer({ placed, rows, input: outputOf(from), weights, pass });
      outputs.push(layer.kind === 'add' ? add(given, outputOf(layer.other)) : given);
    }
    return reshape(outputOf(outputs.length - 1), [rows * predictions, sizeOf(output) / predictions]);
  }
}
