/** A Keras topology, as model.json of a tfjs layers model has it, read as a network: known without any training library. */
import { HushError } from './errors.ts';
import { KERAS_LAYERS, reshaped, targetShape } from './kerasLayers.ts';
import { outputShape, sizeOf } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import type { Layer, Loss, Network, NetworkInput } from './network.ts';
import type { Decoded } from './schema.ts';
import { integer, list, parseDocument, text, v } from './schema.ts';

/** One example has at most this many values. */
const MAX_INPUT = 1_000_000;

const CLASSES = ['Sequential', 'Functional', 'Model'] as const;

const kerasLayerSchema = v.looseObject({
  class_name: text(100),
  /** Its options, by class. */
  config: v.looseObject({ name: text(200) }),
  /** Of a functional model: what it reads. */
  inbound_nodes: v.optional(v.array(v.unknown())),
});

export const topologySchema = v.looseObject({
  class_name: v.picklist(CLASSES, `one of ${CLASSES.join(', ')}`),
  config: v.looseObject({ layers: list(kerasLayerSchema, 1000) }),
});

export type Topology = Decoded<typeof topologySchema>;
type KerasLayer = Decoded<typeof kerasLayerSchema>;

/** What turns the last layer's output into a prediction. */
export const OUTPUT_ACTIVATIONS: Readonly<Record<Loss, string>> = {
  'softmax-cross-entropy': 'softmax',
  'binary-cross-entropy': 'sigmoid',
  'mean-squared-error': 'linear',
};

/** A layer beside the names of those that it reads. */
interface Node {
  readonly layer: KerasLayer;
  readonly reads: readonly string[];
}

/**
 * Its weights have the names that the file has for them, layer by layer in the order of the file. A last softmax or sigmoid
 * goes with the loss. @throws HushError `model/unsupported`, `model/shape`, naming the layer and what was expected.
 */
export function networkOfTopology(topology: Topology, loss: Loss): Network {
  const { nodes, output } = topology.class_name === 'Sequential' ? chain(topology) : graph(topology);
  const reader = new Reader(loss, output);
  for (const node of nodes) reader.read(node);
  return reader.network();
}

function unsupported(what: string, expected: string): HushError {
  return new HushError('model/unsupported', `${what}, expected ${expected}.`);
}

function described({ class_name, config }: KerasLayer): string {
  return `Layer "${config.name}" (${class_name})`;
}

function chain({ config: { layers } }: Topology): { nodes: readonly Node[]; output: string } {
  const [first] = layers;
  const name = (layer: KerasLayer | undefined): string => layer?.config.name ?? '';
  const begin: Node[] = [];
  if (first?.class_name !== 'InputLayer') {
    const config = { ...first?.config, name: `${name(first)} input` };
    begin.push({ layer: { class_name: 'InputLayer', config }, reads: [] });
  }
  const before = (i: number): string => (i > 0 ? name(layers[i - 1]) : name(begin[0]?.layer));
  const nodes = layers.map((layer, i) => ({ layer, reads: [before(i)] }));
  return { nodes: [...begin, ...nodes], output: name(layers.at(-1)) };
}

/** The layers so that each comes after those that it reads, otherwise in the order of the file. */
function graph({ config }: Topology): { nodes: readonly Node[]; output: string } {
  const ends = parseDocument(ENDS, config, 'Model', 'model/unsupported');
  const waiting = config.layers.map((layer): Node => ({ layer, reads: readsOf(layer) }));
  const nodes: Node[] = [];
  const done = new Set<string>();
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ reads }) => reads.every((name) => done.has(name)));
    const [node] = waiting.splice(Math.max(next, 0), 1);
    if (next < 0 || !node) {
      throw unsupported(`${described(node?.layer ?? NOTHING)} reads ${node?.reads.join(', ')}`, 'layers before it');
    }
    done.add(node.layer.config.name);
    nodes.push(node);
  }
  return { nodes, output: ends.output_layers[0][0] };
}

const NOTHING: KerasLayer = { class_name: 'none', config: { name: 'none' } };

/** [name of the layer, number of its node, number of its output]. */
const END = v.looseTuple([text(200)]);
const ONE_END = v.pipe(v.tuple([END], 'one, as [["name", 0, 0]]'));
const ENDS = v.looseObject({ input_layers: ONE_END, output_layers: ONE_END });
const ONE_NODE = v.looseObject({
  inbound_nodes: v.tuple([v.array(END)], 'what it reads, once: [[["name", 0, 0, {}]]]'),
});

function readsOf(layer: KerasLayer): readonly string[] {
  if (layer.class_name === 'InputLayer') return [];
  const { inbound_nodes } = parseDocument(ONE_NODE, layer, described(layer), 'model/unsupported');
  return inbound_nodes[0].map(([name]) => name);
}

const EMBEDDED = v.looseObject({ input_dim: integer(2, 65_536) });
const RESHAPED = v.looseObject({ target_shape: targetShape() });
const INPUT = v.looseObject({
  batch_input_shape: v.pipe(
    v.array(v.nullable(integer(1, MAX_INPUT), null), 'the shape of a batch, as [null, 28, 28, 1]'),
    v.check((shape) => shape.length > 1 && shape.length < 5, '1 to 3 sizes after that of the batch'),
    v.check((shape) => shape.slice(1).every((size) => size !== null), 'a size for each axis but the first'),
    v.transform((shape): Shape => shape.slice(1).map((size) => size ?? 1)),
    v.check((shape) => sizeOf(shape) <= MAX_INPUT, `at most ${MAX_INPUT} values`),
  ),
});

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
    const { batch_input_shape } = layer.config;
    const given = { batch_input_shape: batch_input_shape ?? layer.config['batch_shape'] };
    const shape = parseDocument(INPUT, given, described(layer), 'model/unsupported').batch_input_shape;
    this.#input = { kind: 'values', shape };
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

/** What changes training and is nothing that a network has. */
function checkTraining({ config }: KerasLayer, what: string): void {
  for (const [field, value] of Object.entries(config)) {
    if (/_(?:regularizer|constraint)$/.test(field) && value !== null) {
      throw unsupported(`${what}: "${field}" is set`, 'none');
    }
  }
  if (config['trainable'] === false) {
    throw unsupported(`${what}: "trainable" is false`, 'true: frozen layers are named in the plan’s "training.frozen"');
  }
}

/** The last layer without the activation that the loss has in itself. */
function folding(layer: KerasLayer, loss: Loss, what: string): KerasLayer {
  const own = OUTPUT_ACTIVATIONS[loss];
  if (layer.class_name === 'Softmax') {
    if (own !== 'softmax') throw unsupported(`${what} is the last layer`, `an activation ${own} for the loss ${loss}`);
    return { class_name: 'Activation', config: { name: layer.config.name, activation: 'linear' } };
  }
  const { activation } = layer.config as { readonly activation?: unknown };
  if (own === 'linear' || activation === undefined || activation === null || activation === 'linear') return layer;
  if (activation !== own) {
    throw unsupported(`${what}: "activation" is ${JSON.stringify(activation)}`, `${own} for the loss ${loss}`);
  }
  return { ...layer, config: { ...layer.config, activation: 'linear' } };
}
