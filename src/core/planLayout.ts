/** Where everything lies in the parameter vector of a federation, and what of it a training round sends. */
import { placeNetwork } from './layerShapes.ts';
import type { ParameterBlock, ParameterLayout, PlacedLayer } from './layerShapes.ts';
import { networkOf } from './modelSpec.ts';
import type { Layer, Network } from './network.ts';
import type { Plan } from './plan.ts';
import type { ModelParameters } from './updateStages.ts';

export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The normalisation of the network's input, if the plan has one, then what the network has. */
export interface PlanLayout extends ParameterLayout {
  /** Values of the normalisation: a mean for each place of the input's last axis, then as many variances. */
  readonly front: number;
  /** What a training round adds up: ascending, with something between each and the next. */
  readonly sent: readonly Range[];
  readonly sentLength: number;
}

/** What decides over the layout. */
export type LaidOutPlan = Pick<Plan, 'model' | 'statistics'> & { readonly training: Pick<Plan['training'], 'frozen'> };

/** As the layer of a model in the tfjs format that does the same to its input. */
export const NORMALISATION = 'normalisation';

/**
 * What a plan can freeze. A layer with parameters is known by what the names of its blocks begin with; others have no name,
 * and a model of Keras layers has those of its layers.
 */
export function layerNames({ layer, blocks }: Pick<PlacedLayer, 'blocks' | 'layer'>): readonly string[] {
  if (layer.kind === 'keras') return [...new Set(layer.model.weights.map(({ layer }) => layer))];
  const name = blocks[0]?.name;
  return name === undefined ? [] : [name.slice(0, name.lastIndexOf('/'))];
}

/** The network that the plan trains, with the layers that it freezes marked. */
export function planNetwork({ model, training }: LaidOutPlan): Network {
  const network = networkOf(model);
  const frozen = new Set(training.frozen);
  if (frozen.size === 0) return network;
  const layers = placeNetwork(network).layers.map((placed): Layer => {
    const { layer } = placed;
    if (layer.kind !== 'keras')
      return layerNames(placed).some((name) => frozen.has(name)) ? { ...layer, frozen: true } : layer;
    const weights = layer.model.weights.map((weight) =>
      frozen.has(weight.layer) ? { ...weight, frozen: true } : weight,
    );
    return { ...layer, model: { ...layer.model, weights } };
  });
  return { ...network, layers };
}

export function planLayout(plan: LaidOutPlan): PlanLayout {
  const network = planNetwork(plan);
  const { layout } = placeNetwork(network);
  const normalisation = plan.statistics?.normalise ? normalisationBlocks(network) : [];
  const front = normalisation.reduce((sum, { length }) => sum + length, 0);
  const own = layout.blocks.map((block) => ({ ...block, offset: block.offset + front }));
  const sent = joined(own.filter(({ role }) => role !== 'frozen'));
  return {
    blocks: [...normalisation, ...own],
    length: front + layout.length,
    front,
    sent,
    sentLength: sent.reduce((sum, { length }) => sum + length, 0),
  };
}

/** What the network alone has, without a copy. */
export function networkParameters({ front }: PlanLayout, parameters: ModelParameters): ModelParameters {
  return front === 0 ? parameters : (parameters.subarray(front) as ModelParameters);
}

/** `parameters` with `network` in place of what the network has of them. */
export function withNetwork(
  { front }: PlanLayout,
  parameters: ModelParameters,
  network: ModelParameters,
): ModelParameters {
  if (front === 0) return network;
  const next = parameters.slice();
  next.set(network, front);
  return next as ModelParameters;
}

function normalisationBlocks({ input }: Network): readonly ParameterBlock[] {
  if (input.kind === 'tokens') return [];
  const length = input.shape.at(-1) ?? 0;
  const block = { shape: [length], length, role: 'statistic' } as const;
  return [
    { ...block, name: `${NORMALISATION}/moving_mean`, offset: 0, initialiser: { kind: 'zeros' } },
    { ...block, name: `${NORMALISATION}/moving_variance`, offset: length, initialiser: { kind: 'ones' } },
  ];
}

function joined(ranges: readonly Range[]): readonly Range[] {
  const pieces: Range[] = [];
  for (const { offset, length } of ranges) {
    const last = pieces.at(-1);
    if (last && last.offset + last.length === offset) {
      pieces[pieces.length - 1] = { offset: last.offset, length: last.length + length };
    } else pieces.push({ offset, length });
  }
  return pieces;
}
