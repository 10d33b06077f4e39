/** A federation trained in Node: real engine, real updates; repeatable by seed, and the same under masks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { Examples } from '../../src/core/dataset.ts';
import type { HashedModel } from '../../src/core/localWork.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan, PlanDocument } from '../../src/core/plan.ts';
import type { MeasuredPoint } from '../../src/core/runView.ts';
import { trainCentrally } from '../../tools/training/central.ts';
import { openNodeEngine } from '../../tools/training/nodeEngine.ts';
import type { NodeEngine } from '../../tools/training/nodeEngine.ts';
import { pooled } from '../../tools/training/shards.ts';
import { TrainingRun } from '../../tools/training/trainingRun.ts';
import type { TrainingSetup } from '../../tools/training/trainingRun.ts';
import { planDocument } from '../support/planDocument.ts';
import { tinyShards } from '../support/tinyTraining.ts';

const PEOPLE = 7;
const ROUNDS = 3;

let engine: NodeEngine;
beforeAll(async () => {
  engine = await openNodeEngine(networkOf(documentWith().plan.model));
});
afterAll(() => engine.close());

function documentWith(seed = 7, aggregation: object = {}): PlanDocument {
  const document = planDocument({ people: PEOPLE });
  const training = { ...document.training, learningRate: 0.5, epochs: 5 };
  const changed = { ...document, seed, training, aggregation: { ...document.aggregation, ...aggregation } };
  return parsePlan(utf8(JSON.stringify(changed)));
}

async function train(changes: Partial<TrainingSetup> = {}): Promise<{ hash: string; curve: MeasuredPoint[] }> {
  const document = documentWith();
  const setup = { document, shards: tinyShards(PEOPLE), engine, masks: false, dropout: 0, ...changes };
  const run = await TrainingRun.begin(setup);
  const curve: MeasuredPoint[] = [];
  for (let round = 1; round <= ROUNDS; round++) curve.push((await run.round('train')).point);
  curve.push((await run.round('evaluate')).point);
  return { hash: run.model.hash, curve };
}

function shifted(examples: Examples): Examples {
  return { ...examples, inputs: Float32Array.from(examples.inputs, (value) => 1000 + 100 * value) };
}

describe('a training in Node', () => {
  it('learns, and tells what everyone measured of each model', async () => {
    const { curve } = await train();
    expect(curve.map(({ round }) => round)).toEqual([0, 1, 2, 3]);
    expect(curve.every(({ people, samples }) => people === PEOPLE && samples === PEOPLE * 30)).toBe(true);
    expect(curve.at(0)?.testAccuracy).toBeLessThan(0.7);
    expect(curve.at(-1)?.testAccuracy).toBeGreaterThan(0.9);
    expect(curve.at(-1)?.testLoss).toBeLessThan(curve.at(0)?.testLoss ?? 0);
  });

  it('gives the same model for the same seed, another for another', async () => {
    const first = await train();
    expect(await train()).toEqual(first);
    expect((await train({ document: documentWith(8) })).hash).not.toBe(first.hash);
  });

  it.each([
    ['one group', {}],
    ['groups', { groupSize: 3, cohort: { minimum: 3, target: PEOPLE } }],
    ['few bits in the smaller ring', { bits: 4, rotation: true, ring: 'half' }],
  ])('gives the same model under masks: %s', async (_, aggregation) => {
    const document = documentWith(7, aggregation);
    expect(await train({ document, masks: true })).toEqual(await train({ document }));
  });

  it('gives the same model under masks when some drop out, who are others in each round', async () => {
    const dropping = { dropout: 0.3 };
    const plain = await train(dropping);
    expect(await train({ ...dropping, masks: true })).toEqual(plain);
    expect(plain.curve.map(({ people }) => people)).toEqual([5, 5, 5, PEOPLE]);
    expect(plain.hash).not.toBe((await train()).hash);
  });

  it('takes statistics first where the plan has them, and comes to the same model under masks', async () => {
    const { plan, bytes } = documentWith();
    const document = { plan: { ...plan, statistics: { normalise: true, minimumSupport: 1 } }, bytes };
    const modelOf = async (masks: boolean): Promise<HashedModel> => {
      const run = await TrainingRun.begin({ document, shards: tinyShards(PEOPLE), engine, masks, dropout: 0 });
      expect(run.next).toBe('statistics');
      await run.round('statistics');
      expect(run.next).toBe('train');
      await run.round('train');
      return run.model;
    };
    const { hash, parameters } = await modelOf(false);
    expect((await modelOf(true)).hash).toBe(hash);
    // Public data without a schema are images, whose pixels are one feature.
    const values = tinyShards(PEOPLE).flatMap(({ training }) => [...training.inputs]);
    expect(parameters[0]).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 5);
  });

  it('stops early where the plan says so, by what everyone kept aside', async () => {
    const { plan, bytes } = documentWith();
    const earlyStopping = { patienceRounds: 1, minimumChange: 1 };
    const document = { plan: { ...plan, evaluation: { ...plan.evaluation, earlyStopping } }, bytes };
    const setup = { document, shards: tinyShards(PEOPLE), engine, masks: false, dropout: 0 };
    const run = await TrainingRun.begin(setup);
    const kinds = [run.next];
    for (let round = 1; round <= 2; round++) {
      await run.round('train');
      kinds.push(run.next);
    }
    expect(kinds).toEqual(['train', 'train', 'evaluate']);
  });

  it('says when so many drop out that no round would come to its end', async () => {
    await expect(train({ dropout: 0.4 })).rejects.toMatchObject({
      code: 'simulate/quorum',
      message: 'Round 1 would be given up: 4 of 7 are left, expected at least 5.',
    });
  });
});

it('leaves to tfjs what our own engine cannot train', async () => {
  const lstm = await openNodeEngine({
    input: { kind: 'tokens', length: 4, vocabulary: 8 },
    layers: [
      { kind: 'embedding', width: 4, positions: false },
      { kind: 'lstm', units: 3 },
      { kind: 'dense', units: 8, activation: 'linear', useBias: true },
    ],
    loss: 'softmax-cross-entropy',
  });
  expect(lstm.chosen.choice.engine).toBe('wasm');
  lstm.close();
});

describe('the same model trained centrally', () => {
  it('comes where the federation comes, on the test part of all, and is repeatable', async () => {
    const { plan } = documentWith();
    const shards = tinyShards(PEOPLE);
    const fractions: number[] = [];
    const metric = await trainCentrally({
      plan,
      rounds: ROUNDS,
      shards,
      onProgress: (fraction) => fractions.push(fraction),
    });
    expect(metric?.name).toBe('accuracy');
    expect(metric?.value).toBeGreaterThan(0.95);
    expect(fractions.at(-1)).toBe(1);
    expect(await trainCentrally({ plan, rounds: ROUNDS, shards })).toEqual(metric);
  });

  it('normalises by the statistics of all data where the plan does', async () => {
    const { plan } = documentWith();
    // Far from what a network of this size could learn without.
    const shards = tinyShards(PEOPLE).map((shard) => ({
      training: shifted(shard.training),
      validation: shifted(shard.validation),
      test: shifted(shard.test),
    }));
    const normalised = { ...plan, statistics: { normalise: true, minimumSupport: 1 } };
    const metric = await trainCentrally({ plan: normalised, rounds: ROUNDS, shards });
    expect(metric?.value).toBeGreaterThan(0.95);
  });

  it('pools what everyone has, and makes as many passes over it as everyone makes', async () => {
    const shards = tinyShards(PEOPLE);
    const all = pooled(shards);
    expect(all.training.count).toBe(60 * PEOPLE);
    expect([...all.test.labels]).toEqual(shards.flatMap(({ test }) => [...test.labels]));
    const { plan } = documentWith();
    const lossAfter = async (rounds: number, epochs: number): Promise<number | undefined> => {
      const training = { ...plan.training, epochs, learningRate: 0.01 };
      const judgedByLoss: Plan = { ...plan, training, evaluation: { ...plan.evaluation, metric: 'loss' } };
      return (await trainCentrally({ plan: judgedByLoss, rounds, shards }))?.value;
    };
    const six = await lossAfter(2, 3);
    expect(await lossAfter(6, 1)).toBe(six);
    expect(await lossAfter(5, 1)).toBeGreaterThan(six ?? Infinity);
  });
});
