/** A Keras topology as a network that tfjs layers trains, with the weights that its file lists. */
import { HushError } from './errors.ts';
import { sizeOf } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import { kerasShape } from './kerasShapes.ts';
import type { KerasWeight, Loss, Network, NetworkInput } from './network.ts';
import type { Decoded } from './schema.ts';
import { integer, list, parseDocument, text, v } from './schema.ts';
import { checkTraining, described, folding, inputShape, nodesOf, unsupported } from './topology.ts';
import type { KerasLayer, Node, Topology } from './topology.ts';

/** Of one model; as float32 a gigabyte. */
const MAX_PARAMETERS = 2 ** 28;

const kerasWeight = v.strictObject({ name: text(400), shape: list(integer(1, MAX_PARAMETERS), 6) });

export const kerasWeightsSchema = list(kerasWeight, 10_000);

export type Weights = Decoded<typeof kerasWeightsSchema>;

/**
 * A network of one layer, which is the whole model. The last layer's softmax or sigmoid goes with the loss.
 * @throws HushError `model/unsupported`, `model/shape`, `model/weights`, naming layer or weight and what was expected.
 */
export function kerasNetwork(topology: Topology, weights: Weights, loss: Loss): Network {
  const { nodes, output } = nodesOf(topology);
  const shapes = new Map<string, Shape>();
  for (const { layer, reads } of nodes) {
    const { name } = layer.config;
    if (shapes.has(name)) throw unsupported(`${described(layer)} is there twice`, 'each name once');
    if (layer.class_name === 'InputLayer') {
      if (shapes.size > 0) throw unsupported(`${described(layer)} is a second input`, 'one');
      shapes.set(name, inputShape(layer));
      continue;
    }
    checkTraining(layer, described(layer));
    shapes.set(
      name,
      kerasShape(
        layer,
        reads.map((read) => shapes.get(read) ?? []),
      ),
    );
  }
  const layers = topology.config.layers.map((layer) => (layer.config.name === output ? folded(layer, loss) : layer));
  const model = {
    topology: { ...topology, config: { ...topology.config, layers } },
    weights: owned(weights, topology),
    output: shapes.get(output) ?? [],
    drops: layers.some(drops),
  };
  return { input: inputOf(nodes, shapes), layers: [{ kind: 'keras', model }], loss };
}

/** What embeddings look up are tokens. */
function inputOf(nodes: readonly Node[], shapes: ReadonlyMap<string, Shape>): NetworkInput {
  const input = nodes.find(({ layer }) => layer.class_name === 'InputLayer')?.layer.config.name ?? '';
  const shape = shapes.get(input) ?? [];
  const readers = nodes.filter(({ layer, reads }) => layer.class_name !== 'InputLayer' && reads.includes(input));
  const [first, ...others] = readers.map(({ layer }) => vocabularyOf(layer));
  if (first === undefined) {
    const embedding = readers.find(({ layer }) => vocabularyOf(layer) !== undefined);
    if (embedding) throw unsupported(`${described(embedding.layer)} reads the input`, 'tokens for all that read it');
    return { kind: 'values', shape };
  }
  const [length] = shape;
  if (shape.length !== 1 || length === undefined || others.some((vocabulary) => vocabulary !== first)) {
    throw unsupported(`The input is [${shape.join(', ')}], read as tokens`, 'one row of tokens of one vocabulary');
  }
  return { kind: 'tokens', length, vocabulary: first };
}

const EMBEDDED = v.looseObject({ input_dim: integer(2, 65_536) });

function vocabularyOf(layer: KerasLayer): number | undefined {
  if (layer.class_name !== 'Embedding') return undefined;
  return parseDocument(EMBEDDED, layer.config, described(layer), 'model/unsupported').input_dim;
}

/** An activation that the loss has in itself is that of the innermost layer. */
function folded(layer: KerasLayer, loss: Loss): KerasLayer {
  if (layer.class_name !== 'TimeDistributed') return withTraits(layer, folding(layer, loss, described(layer)));
  const inner = layer.config['layer'] as KerasLayer;
  return { ...layer, config: { ...layer.config, layer: folded(inner, loss) } };
}

/** A layer that another takes the place of still reads what it read, and begins a sequence as it did. */
function withTraits(before: KerasLayer, after: KerasLayer): KerasLayer {
  const { batch_input_shape } = before.config;
  const config = { ...after.config, ...(batch_input_shape === undefined ? {} : { batch_input_shape }) };
  return { ...before, class_name: after.class_name, config };
}

function drops(layer: KerasLayer): boolean {
  const { class_name, config } = layer;
  if (class_name === 'Dropout' || class_name === 'SpatialDropout1D') return true;
  const inner = config['layer'] as KerasLayer | undefined;
  return inner ? drops(inner) : [config['dropout'], config['recurrent_dropout']].some((rate) => Number(rate ?? 0) > 0);
}

/** Each with the layer whose name its own begins with. */
function owned(weights: Weights, { config }: Topology): readonly KerasWeight[] {
  const wrong = (got: string, expected: string): HushError =>
    new HushError('model/weights', `"weights": ${got}, expected ${expected}.`);
  // Names may have slashes in them: the longest is meant.
  const names = config.layers.map((layer) => layer.config.name).toSorted((a, b) => b.length - a.length);
  const seen = new Set<string>();
  const owned = weights.map(({ name, shape }) => {
    const layer = names.find((layer) => name.startsWith(`${layer}/`));
    if (layer === undefined) throw wrong(`"${name}"`, 'a name that begins with that of a layer');
    if (seen.has(name)) throw wrong(`"${name}" twice`, 'each once');
    seen.add(name);
    return { name, shape, layer };
  });
  const total = owned.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (total > MAX_PARAMETERS) throw wrong(`${total} parameters`, `at most ${MAX_PARAMETERS}`);
  return owned;
}
