/** Which values the layers of tfjs layers keep: by the round's seed, as everywhere, where tfjs would draw them anew. */
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { mul, ones } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { mixWord } from '../../core/dropout.ts';
import { dropped } from './layers.ts';

export type KerasLayer = LayersModel['layers'][number];

/** What of a layer's inside is not in its type. */
interface Inside {
  readonly rate?: number;
  readonly layer?: KerasLayer;
  readonly forwardLayer?: KerasLayer;
  readonly backwardLayer?: KerasLayer;
  readonly cell?: { dropoutFunc?: (values: Tensor, rate: number) => Tensor };
}

/** Layers that another is made of. */
export function insideOf(layer: KerasLayer): readonly KerasLayer[] {
  const { layer: inner, forwardLayer, backwardLayer } = layer as Inside;
  return [inner, forwardLayer, backwardLayer].filter((each) => each !== undefined);
}

export class KerasDropout {
  #keyOf: (layer: number) => number = () => 0;
  /** How often each layer has dropped in this step. */
  readonly #uses: number[] = [];

  /** Layers count by their place in `layers`. */
  constructor(layers: readonly KerasLayer[]) {
    layers.forEach((layer, index) => this.#takeOver(layer, index));
  }

  /** A step begins. */
  begin(keyOf: (layer: number) => number): void {
    this.#keyOf = keyOf;
    this.#uses.length = 0;
  }

  #takeOver(layer: KerasLayer, index: number): void {
    const { rate = 0, cell } = layer as Inside;
    const drop = (values: Tensor): Tensor => this.#drop(index, values, rate);
    switch (layer.getClassName()) {
      case 'Dropout':
        layer.call = inTraining(rate, drop);
        break;
      case 'SpatialDropout1D':
        // A channel is dropped over its whole length.
        layer.call = inTraining(rate, (values) => {
          const [rows, , channels] = (values as Tensor3D).shape;
          return mul(values, drop(ones([rows, 1, channels])));
        });
        break;
      default:
        if (cell) cell.dropoutFunc = (values, rate) => this.#drop(index, values, rate);
    }
    for (const inner of insideOf(layer)) this.#takeOver(inner, index);
  }

  /** The first use of a layer has the layer's key, each further one a key of its own. */
  #drop(index: number, values: Tensor, rate: number): Tensor {
    const use = this.#uses[index] ?? 0;
    this.#uses[index] = use + 1;
    const key = this.#keyOf(index);
    return dropped(values, rate, use === 0 ? key : mixWord((key + use) >>> 0));
  }
}

function inTraining(rate: number, drop: (values: Tensor) => Tensor): KerasLayer['call'] {
  return (inputs, { training }: { readonly training?: boolean }) => {
    const [values] = [inputs].flat() as [Tensor];
    return training && rate > 0 ? drop(values) : values;
  };
}
