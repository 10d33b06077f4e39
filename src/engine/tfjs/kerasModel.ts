/** A model of Keras layers, which tfjs layers runs. Loaded only where a plan has one. */
import { clone, dispose, keep, reshape, variableGrads, zerosLike } from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { models } from '@tensorflow/tfjs-layers';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { KerasModel } from '../../core/network.ts';
import { registerGradients } from './gradients.ts';
import { KerasDropout } from './kerasDropout.ts';
import { holdStill } from './kerasFrozen.ts';
import { repair } from './kerasRepairs.ts';
import { lossRule, meanLoss } from './losses.ts';
import type { LossRule } from './losses.ts';
import type { Batch, Learned, TensorModel } from './model.ts';

/** On the active backend. @throws HushError `engine/unsupported`, saying in what tfjs layers reads the model otherwise. */
export async function openKerasModel(placed: PlacedNetwork, { topology }: KerasModel): Promise<TensorModel> {
  // What tfjs layers brings along has the place of ours by now, where it is what is loaded.
  registerGradients();
  const model = await built(topology);
  try {
    return new KerasTensorModel(placed, model);
  } catch (thrown) {
    disposeWeights(model);
    throw thrown;
  }
}

async function built(topology: object): Promise<LayersModel> {
  try {
    const modelTopology = withoutInitialisers(topology);
    return await models.modelFromJSON({ modelTopology } as Parameters<typeof models.modelFromJSON>[0]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HushError('engine/unsupported', `tfjs layers cannot build this model: ${why}`, { cause });
  }
}

class KerasTensorModel implements TensorModel {
  readonly #placed: PlacedNetwork;
  readonly #rule: LossRule;
  readonly #model: LayersModel;
  readonly #dropout: KerasDropout;
  /** One for each block of the layout. */
  readonly #variables: readonly Variable[];

  /** @throws HushError `engine/unsupported`. */
  constructor(placed: PlacedNetwork, model: LayersModel) {
    this.#placed = placed;
    this.#rule = lossRule(placed.network.loss);
    this.#model = model;
    this.#variables = variablesOf(placed, model);
    checkEnds(placed, model);
    const { blocks } = placed.layout;
    const frozen = new Set(this.#variables.filter((_, i) => blocks[i]?.role === 'frozen'));
    repair(model.layers);
    holdStill(model.layers, (weight) => frozen.has(weight.read() as Variable));
    this.#dropout = new KerasDropout(model.layers);
  }

  learn(parameters: readonly Tensor[], batch: Batch, dropoutKeyOf: (layer: number) => number): Learned {
    this.#assign(parameters);
    this.#dropout.begin(dropoutKeyOf);
    let predicted: Tensor2D | undefined;
    const loss = meanLoss(this.#rule, batch, (values) => (predicted = keep(values)));
    const learned = this.#ofRole('learned');
    try {
      const { grads, value } = variableGrads(() => loss(this.#apply(batch.inputs, true)) as Scalar, learned);
      value.dispose();
      if (!predicted) throw new RangeError('the forward pass gave nothing');
      return {
        // Of what has no part in the output there is none.
        gradients: learned.map((variable) => grads[variable.name] ?? zerosLike(variable)),
        statistics: this.#ofRole('statistic').map((variable) => clone(variable)),
        predicted: clone(predicted),
      };
    } finally {
      predicted?.dispose();
    }
  }

  output(parameters: readonly Tensor[], inputs: Tensor): Tensor2D {
    this.#assign(parameters);
    return this.#apply(inputs, false);
  }

  dispose(): void {
    disposeWeights(this.#model);
  }

  #ofRole(role: 'learned' | 'statistic'): Variable[] {
    return this.#variables.filter((_, i) => this.#placed.layout.blocks[i]?.role === role);
  }

  /** The values are shared, not copied. */
  #assign(parameters: readonly Tensor[]): void {
    parameters.forEach((parameter, i) => this.#variables[i]?.assign(parameter));
  }

  /** Shape [predictions, values of one]. */
  #apply(inputs: Tensor, training: boolean): Tensor2D {
    const { output, predictions } = this.#placed;
    const given = this.#model.apply(inputs, { training }) as Tensor;
    return reshape(given, [(inputs.shape[0] ?? 0) * predictions, sizeOf(output) / predictions]);
  }
}

function disposeWeights(model: LayersModel): void {
  dispose(model.weights.map((weight) => weight.read()));
}

/** @throws HushError `engine/unsupported`, naming the first weight that differs. */
function variablesOf({ layout }: PlacedNetwork, { weights }: LayersModel): readonly Variable[] {
  const left = new Map(weights.map((weight) => [weight.originalName, weight]));
  const variables = layout.blocks.map(({ name, shape, role }) => {
    const known = left.has(name) ? name : withoutCell(name);
    const weight = left.get(known);
    left.delete(known);
    if (weight?.shape.join() !== shape.join()) {
      throw differs(`"${name}" of shape [${shape.join(', ')}]`, weight ? described(weight) : 'no such weight');
    }
    if (role === 'learned' && !weight.trainable)
      throw differs(`"${name}", which is learned`, 'one that is not trained');
    return weight.read() as Variable;
  });
  for (const weight of left.values()) throw differs('no more weights', described(weight));
  return variables;
}

function described({ originalName, shape }: LayerVariable): string {
  return `"${originalName}" of shape [${shape.join(', ')}]`;
}

/** Keras writes "lstm/lstm_cell/kernel" for what tfjs layers calls "lstm/kernel". */
function withoutCell(name: string): string {
  const parts = name.split('/');
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
}

/** @throws HushError `engine/unsupported`. */
function checkEnds({ input, output }: PlacedNetwork, { inputs, outputs }: LayersModel): void {
  for (const [what, expected, given] of [
    ['an input', input, inputs],
    ['an output', output, outputs],
  ] as const) {
    const shapes = given.map(({ shape }) => `[${shape.slice(1).join(', ')}]`).join(' and ');
    if (shapes !== `[${expected.join(', ')}]`) throw differs(`${what} of shape [${expected.join(', ')}]`, shapes);
  }
}

function differs(plan: string, found: string): HushError {
  return new HushError('engine/unsupported', `The plan’s model has ${plan}, tfjs layers builds ${found}.`, {
    advice: 'Take the model file into the plan anew.',
  });
}

/** What a weight begins with is known: the file’s own would be computed for nothing, and orthogonal ones take long. */
function withoutInitialisers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutInitialisers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key.endsWith('_initializer') ? ZEROS : withoutInitialisers(inner),
    ]),
  );
}

const ZEROS = { class_name: 'Zeros', config: {} };
