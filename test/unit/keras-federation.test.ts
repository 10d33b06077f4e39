/** A plan whose model tfjs layers trains: it is chosen from a file, federates, is trained centrally, and is saved. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { EngineName, TrainingEngine } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { readModelFile } from '../../src/core/layersFile.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { PlanDocument } from '../../src/core/plan.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { chooseEngine } from '../../src/engine/choose.ts';
import { openTfjsEngine } from '../../src/engine/tfjs/tfjsEngine.ts';
import { WasmSession } from '../../src/engine/wasm/session.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { planFacts } from '../../src/ui/planFacts.ts';
import { trainCentrally } from '../../tools/training/central.ts';
import { openNodeEngine } from '../../tools/training/nodeEngine.ts';
import type { NodeEngine } from '../../tools/training/nodeEngine.ts';
import { TrainingRun } from '../../tools/training/trainingRun.ts';
import { rowBesideSequence, savedKeras } from '../support/kerasModels.ts';
import type { SavedKeras } from '../support/kerasModels.ts';
import { ownPlanDocument } from '../support/ownPlan.ts';
import { planDocument } from '../support/planDocument.ts';
import { tinyShards } from '../support/tinyTraining.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const PEOPLE = 3;
const ROUNDS = 2;

let saved: SavedKeras;
/** Takes a row of two as a sequence. */
let cut: SavedKeras;
let document: PlanDocument;
let engine: NodeEngine;
beforeAll(async () => {
  saved = await savedKeras(tf, rowBesideSequence(tf, 5, 3));
  const along = tf.layers.conv1d({ filters: 2, kernelSize: 1, inputShape: [2, 1] });
  const last = [tf.layers.flatten(), tf.layers.dense({ units: 3, activation: 'softmax' })];
  cut = await savedKeras(tf, tf.sequential({ layers: [along, ...last] }));
  document = planWith({ model: saved.model });
  engine = await openNodeEngine(networkOf(document.plan.model));
});
afterAll(() => engine.close());

function planWith(changes: object): PlanDocument {
  const plan = planDocument({ people: PEOPLE });
  const training = { ...plan.training, learningRate: 0.3, epochs: 5 };
  return parsePlan(utf8(JSON.stringify({ ...plan, training, ...changes })));
}

describe('a plan on a model of other layers', () => {
  it('has the weights of the file in its order, and says who trains it', () => {
    const { plan } = document;
    expect(planLayout(plan).blocks.map(({ name, shape }) => ({ name, shape }))).toEqual(saved.model.weights);
    expect(planFacts(plan)[0]?.value).toMatch(/layers of a model file, trained by tfjs layers, 5 inputs, 3 outputs/);
    expect(engine.chosen.choice.engine).toBe('cpu');
  });

  it('learns in a federation, masked and unmasked alike, and repeats itself', async () => {
    const hashes: string[] = [];
    for (const masks of [true, false]) {
      const run = await TrainingRun.begin({ document, shards: tinyShards(PEOPLE), engine, masks, dropout: 0 });
      for (let round = 1; round <= ROUNDS; round++) await run.round('train');
      const { point } = await run.round('evaluate');
      expect(point.testAccuracy).toBeGreaterThan(0.9);
      hashes.push(run.model.hash);
    }
    expect(hashes[1]).toBe(hashes[0]);
  });

  it('is trained centrally too', async () => {
    const metric = await trainCentrally({ plan: document.plan, rounds: ROUNDS, shards: tinyShards(PEOPLE) });
    expect(metric?.value).toBeGreaterThan(0.9);
  });
});

it('is passed over by engines that have no kernels for it, and trained by those that agree with cpu', async () => {
  const network = networkOf(document.plan.model);
  const open = async (name: EngineName): Promise<TrainingEngine> => {
    if (name === 'cpu') return await openTfjsEngine('cpu', 'patient');
    if (name !== 'compiled-wasm') throw new HushError('engine/unavailable', `There is no ${name} here.`);
    const placed = placeNetwork(network);
    const rule = { arithmetic: { fused: false }, threads: 1, spreadsFrom: Infinity };
    return { name, adapter: name, open: () => WasmSession.open(placed, rule), close: () => undefined };
  };
  const { choice, engine } = await chooseEngine({ network, training: document.plan.training, open, machine: 'here' });
  engine.close();
  expect(choice.engine).toBe('cpu');
  expect(choice.candidates.find(({ name }) => name === 'compiled-wasm')).toMatchObject({
    usable: false,
    reason: expect.stringContaining('no kernels for this model'),
  });
});

describe('what is refused', () => {
  const messageOf = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return String(error);
    }
    return 'taken';
  };

  it('is a file that does not list its weights, naming the layer', () => {
    const { modelTopology } = JSON.parse(saved.json) as object & { modelTopology: object };
    const message = messageOf(() => readModelFile('m.json', JSON.stringify({ modelTopology }), false));
    expect(message).toMatch(/^“m\.json”: Layer "gru_GRU\d+" \(GRU\) is of a class that is not known here/);
  });

  it('is a file whose weights are no float32', () => {
    const text = saved.json.replace('"dtype":"float32"}]', '"dtype":"int32"}]');
    expect(text).not.toBe(saved.json);
    expect(messageOf(() => readModelFile('m.json', text, false))).toMatch(/dtype" is "int32", expected float32/);
  });

  it('is a plan that does not fit its data, or normalises a row that is cut', () => {
    const task = { kind: 'classification', classes: ['a', 'b', 'c', 'd'] };
    expect(messageOf(() => planWith({ model: saved.model, task }))).toContain('expected the number of task.classes, 4');
    const plan = { ...ownPlanDocument({ rounds: 1, people: 3 }), model: cut.model };
    expect(messageOf(() => parsePlan(utf8(JSON.stringify(plan))))).toBe('taken');
    const statistics = { normalise: true, minimumSupport: 1 };
    expect(messageOf(() => parsePlan(utf8(JSON.stringify({ ...plan, statistics }))))).toContain(
      '"statistics.normalise" is true, expected false for a model that takes a row as 2 × 1',
    );
  });
});
