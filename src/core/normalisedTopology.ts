/** A Keras topology that normalises its input first, as a plan with statistics does. */
import { NORMALISATION } from './planLayout.ts';

export interface KerasLayer {
  readonly class_name: string;
  readonly config: { readonly name: string; readonly [option: string]: unknown };
  /** Of a functional model: what it reads. */
  readonly inbound_nodes?: readonly unknown[] | undefined;
}

export interface KerasTopology {
  readonly class_name: string;
  readonly config: { readonly layers: readonly KerasLayer[]; readonly [option: string]: unknown };
}

/** (x − moving mean) / sqrt(moving variance), on the last axis of what the network takes. */
const OPTIONS = { name: NORMALISATION, trainable: false, axis: -1, epsilon: 0, center: false, scale: false };

/** `beginnings`: classes of the layers that stay before it; the values lie the same after them. */
export function normalisedTopology(topology: KerasTopology, beginnings: readonly string[]): KerasTopology {
  const { layers } = topology.config;
  const next = topology.class_name === 'Sequential' ? inChain(layers, beginnings) : inGraph(layers, beginnings);
  return { ...topology, config: { ...topology.config, layers: next } };
}

function inChain(layers: readonly KerasLayer[], beginnings: readonly string[]): KerasLayer[] {
  const at = layers.findIndex(({ class_name }) => !beginnings.includes(class_name));
  const first = layers[0]?.config;
  const config = at === 0 ? { ...OPTIONS, batch_input_shape: first?.['batch_input_shape'], dtype: 'float32' } : OPTIONS;
  return [...layers.slice(0, at), { class_name: 'BatchNormalization', config }, ...layers.slice(at)];
}

function inGraph(layers: readonly KerasLayer[], beginnings: readonly string[]): KerasLayer[] {
  const readersOf = (name: string): readonly KerasLayer[] => layers.filter((layer) => reads(layer).includes(name));
  let before = layers.find(({ class_name }) => class_name === 'InputLayer')?.config.name ?? '';
  for (;;) {
    const [only, ...others] = readersOf(before);
    if (!only || !beginnings.includes(only.class_name) || others.length > 0) break;
    before = only.config.name;
  }
  const own = {
    class_name: 'BatchNormalization',
    name: NORMALISATION,
    config: OPTIONS,
    inbound_nodes: [[end(before)]],
  };
  return layers.flatMap((layer): KerasLayer[] => {
    const reading = { ...layer, ...(layer.inbound_nodes && { inbound_nodes: renamed(layer.inbound_nodes, before) }) };
    return layer.config.name === before ? [layer, own] : [reading];
  });
}

/** [name of the layer, number of its node, number of its output, options of the call]. */
function end(name: string): readonly unknown[] {
  return [name, 0, 0, {}];
}

function reads({ inbound_nodes = [] }: KerasLayer): readonly unknown[] {
  return inbound_nodes.flatMap((node) => (Array.isArray(node) ? node.map(([name]: readonly unknown[]) => name) : []));
}

function renamed(nodes: readonly unknown[], before: string): unknown[] {
  return nodes.map((node) =>
    Array.isArray(node)
      ? node.map(([name, ...rest]: readonly unknown[]) => [name === before ? NORMALISATION : name, ...rest])
      : node,
  );
}
