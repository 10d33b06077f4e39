/** A Keras topology, as model.json of a tfjs layers model has it: its layers, in what order, and what none of them may be. */
import { HushError } from './errors.ts';
import { sizeOf } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import type { Loss } from './network.ts';
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
export type KerasLayer = Decoded<typeof kerasLayerSchema>;

/** What turns the last layer's output into a prediction. */
export const OUTPUT_ACTIVATIONS: Readonly<Record<Loss, string>> = {
  'softmax-cross-entropy': 'softmax',
  'binary-cross-entropy': 'sigmoid',
  'mean-squared-error': 'linear',
};

/** A layer beside the names of those that it reads. */
export interface Node {
  readonly layer: KerasLayer;
  readonly reads: readonly string[];
}

export function unsupported(what: string, expected: string): HushError {
  return new HushError('model/unsupported', `${what}, expected ${expected}.`);
}

export function described({ class_name, config }: KerasLayer): string {
  return `Layer "${config.name}" (${class_name})`;
}

/** Each layer after those that it reads. @throws HushError `model/unsupported`. */
export function nodesOf(topology: Topology): { readonly nodes: readonly Node[]; readonly output: string } {
  return topology.class_name === 'Sequential' ? chain(topology) : graph(topology);
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

const INPUT = v.looseObject({
  batch_input_shape: v.pipe(
    v.array(v.nullable(integer(1, MAX_INPUT), null), 'the shape of a batch, as [null, 28, 28, 1]'),
    v.check((shape) => shape.length > 1 && shape.length < 5, '1 to 3 sizes after that of the batch'),
    v.check((shape) => shape.slice(1).every((size) => size !== null), 'a size for each axis but the first'),
    v.transform((shape): Shape => shape.slice(1).map((size) => size ?? 1)),
    v.check((shape) => sizeOf(shape) <= MAX_INPUT, `at most ${MAX_INPUT} values`),
  ),
});

/** Of one example, as the first layer says it. @throws HushError `model/unsupported`. */
export function inputShape(layer: KerasLayer): Shape {
  const { batch_input_shape } = layer.config;
  const given = { batch_input_shape: batch_input_shape ?? layer.config['batch_shape'] };
  return parseDocument(INPUT, given, described(layer), 'model/unsupported').batch_input_shape;
}

/** What changes training and is nothing that a network has. */
export function checkTraining({ config }: KerasLayer, what: string): void {
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
export function folding(layer: KerasLayer, loss: Loss, what: string): KerasLayer {
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
