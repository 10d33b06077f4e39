/** A Keras topology read as a network of our own layers: known without any training library. */
import { KERAS_LAYERS, reshaped, targetShape } from './kerasLayers.ts';
import { outputShape, sizeOf } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import type { Layer, Loss, Network, NetworkInput } from './network.ts';
import { integer, parseDocument, v } from './schema.ts';
import { checkTraining, described, folding, inputShape, nodesOf, unsupported } from './topology.ts';
import type { KerasLayer, Node, Topology } from './topology.ts';

/**
 * Its weights have the names that the file has for them, layer by layer in the order of the file. A last softmax or sigmoid
 * goes with the loss. @throws HushError `model/unsupported`, `model/shape`, naming the layer and what was expected.
 */
export function networkOfTopology(topology: Topology, loss: Loss): Network {
  const { nodes, output } = nodesOf(topology);
  const reader = new Reader(loss, output);
  for (const node of nodes) reader.read(node);
  return reader.network();
}

const EMBEDDED = v.looseObject({ input_dim: integer(2, 65_536) });
const RESHAPED = v.looseObject({ target_shape: targetShape() });
class Reader {
  readonly #loss: Loss;
  readonly #output: string;
  readonly #layers: Layer[] = [];
  readonly #shapes: Shape[] = [];
  /** Where the output of a Keras layer is: the index of one of ours, −1 for the network's input. */
  readonly #places = new Map<string, number>();
  #input: NetworkInput | undefined;

  constructor(loss: Loss, output: string) {
    this.#loss = loss;
    this.#output = output;
  }

  read({ layer, reads }: Node): void {
    const { name } = layer.config;
    if (this.#places.has(name)) throw unsupported(`${described(layer)} is there twice`, 'each name once');
    this.#places.set(name, layer.class_name === 'InputLayer' ? this.#begin(layer) : this.#convert(layer, reads));
  }

  /** @throws HushError `model/unsupported`. */
  network(): Network {
    const place = this.#places.get(this.#output);
    if (!this.#input || place === undefined || place < 0 || place !== this.#layers.length - 1) {
      throw unsupported(`The output of the model is "${this.#output}"`, 'its last layer');
    }
    return { input: this.#input, layers: this.#layers, loss: this.#loss };
  }

  #begin(layer: KerasLayer): number {
    if (this.#input) throw unsupported(`${described(layer)} is a second input`, 'one');
    this.#input = { kind: 'values', shape: inputShape(layer) };
    return -1;
  }

  #convert(layer: KerasLayer, reads: readonly string[]): number {
    const what = described(layer);
    const [from = -1, ...others] = reads.map((name) => this.#places.get(name) ?? -1);
    checkTraining(layer, what);
    if (layer.class_name === 'Add') {
      if (others.length === 0) throw unsupported(`${what} reads ${reads.length}`, 'two layers or more');
      return others.reduce((sum, other) => this.#append({ kind: 'add', other }, sum, layer), from);
    }
    if (others.length > 0) throw unsupported(`${what} reads ${reads.join(', ')}`, 'one layer');
    const folded = layer.config.name === this.#output ? folding(layer, this.#loss, what) : layer;
    if (from === -1 && this.#takesInput(folded, what)) return -1;
    const convert = KERAS_LAYERS[folded.class_name];
    if (!convert) throw unsupported(`${what} is of a class that is not known here`, `one of ${KNOWN}`);
    const own = convert(folded.config, this.#shapeOf(from), what);
    return own.reduce((place, each) => this.#append(each, place, layer), from);
  }

  /** What an embedding looks up are tokens, and a reshape of the input is the input's shape: it lies the same. */
  #takesInput({ class_name, config }: KerasLayer, what: string): boolean {
    const shape = this.#shapeOf(-1);
    if (class_name === 'Embedding') {
      const { input_dim: vocabulary } = parseDocument(EMBEDDED, config, what, 'model/unsupported');
      const [length] = shape;
      const other = this.#input?.kind === 'tokens' && this.#input.vocabulary !== vocabulary;
      if (shape.length !== 1 || length === undefined || other)
        throw unsupported(`${what} is given [${shape.join(', ')}]`, 'tokens');
      this.#input = { kind: 'tokens', length, vocabulary };
    }
    if (class_name !== 'Reshape' || this.#layers.length > 0) return false;
    const { target_shape } = parseDocument(RESHAPED, config, what, 'model/unsupported');
    const target = reshaped(target_shape, shape);
    if (!target)
      throw unsupported(`${what}: "target_shape" is [${target_shape.join(', ')}]`, `${sizeOf(shape)} values`);
    this.#input = { kind: 'values', shape: target };
    return true;
  }

  #append(layer: Layer, from: number, { config: { name } }: KerasLayer): number {
    const index = this.#layers.length;
    const named: Layer = { ...layer, name, ...(from === index - 1 ? {} : { from }) };
    const other = layer.kind === 'add' ? this.#shapeOf(layer.other) : undefined;
    const tokens = from === -1 && this.#input?.kind === 'tokens' ? this.#input.vocabulary : undefined;
    this.#shapes.push(outputShape(named, index, this.#shapeOf(from), other, tokens));
    this.#layers.push(named);
    return index;
  }

  #shapeOf(place: number): Shape {
    if (place >= 0) return this.#shapes[place] ?? [];
    return this.#input?.kind === 'tokens' ? [this.#input.length] : (this.#input?.shape ?? []);
  }
}

const KNOWN = ['InputLayer', ...Object.keys(KERAS_LAYERS), 'Add', 'Softmax at the end'].join(', ');
