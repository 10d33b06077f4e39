/** The cpu engine trains a saved model as tfjs layers does, whose gradients are tfjs's own. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { layersTopology } from '../../src/core/layersModel.ts';
import { networkOf, parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { initialise } from '../../src/update/initialise.ts';
import { someExamples } from '../support/networks.ts';
import { expectSameBlocks, gradientOf } from '../support/training.ts';

it.each<ModelSpec>([
  { architecture: 'mlp', inputs: 6, hidden: [7, 4], outputs: 3, activation: 'tanh' },
  { architecture: 'linear', inputs: 6, outputs: 3, loss: 'softmax-cross-entropy' },
  { architecture: 'lenet', height: 8, width: 6, channels: 2, outputs: 3 },
  { architecture: 'cnn', height: 4, width: 5, channels: 1, outputs: 2 },
  { architecture: 'lstm', vocabulary: 5, width: 3, units: 4, length: 6 },
])('takes the gradients of an $architecture that tfjs layers takes', async (spec) => {
  const network = networkOf(spec);
  const rows = 12;
  const examples = someExamples(network, rows);
  const start = initialise(spec, 1);
  const engine = await openEngine('cpu');
  const ours = await gradientOf(engine, network, examples, start);
  const model = await tfl.models.modelFromJSON({
    modelTopology: layersTopology({ model: spec, training: {} }),
  } as never);
  model.setWeights(
    parameterLayout(spec).blocks.map(({ shape, offset, length }) =>
      tf.tensor(start.slice(offset, offset + length), [...shape]),
    ),
  );
  const rate = 64;
  model.compile({ optimizer: tf.train.sgd(rate), loss: 'sparseCategoricalCrossentropy' });
  const inputs = Float32Array.from(examples.inputs, (value) => value * examples.inputScale);
  const shape = (model.inputs[0]?.shape ?? []).slice(1).map((size) => size ?? 1);
  await model.trainOnBatch(
    tf.tensor(inputs, [rows, ...shape]),
    tf.tensor(examples.labels, [rows, ...placeNetwork(network).output.slice(0, -1), 1]),
  );
  const after = (await Promise.all(model.getWeights().map((weight) => weight.data()))).flatMap((block) => [...block]);
  model.dispose();
  engine.close();
  expect(after).toHaveLength(start.length);
  expectSameBlocks(
    network,
    ours,
    after.map((value, i) => ((start[i] ?? 0) - value) / rate),
  );
});
