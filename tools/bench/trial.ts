/** One federation in one thread: real training, real clipping, quantising, summing and applying; no network and no masks. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { uint32Bytes, utf8 } from '../../src/core/bytes.ts';
import type { TrainingData } from '../../src/core/dataset.ts';
import type { EngineSession, TrainingControl } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { planLayout, planNetwork } from '../../src/core/planLayout.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Random } from '../../src/core/ports.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { NO_FIGURES, ringBits, sumSpecFor } from '../../src/core/sumSpec.ts';
import type { ClippedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';
import { applyUpdate } from '../../src/update/applyUpdate.ts';
import { clip, differenceOf } from '../../src/update/clip.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { packWords } from '../../src/update/pack.ts';
import { quantise } from '../../src/update/quantise.ts';
import { rotationSeed } from '../../src/update/rotation.ts';
import { SumService } from '../../src/worker/sumService.ts';
import { openNodeSession } from './nodeEngine.ts';

export interface Trial {
  /** `seed` fixes shards, initial model, batch order and rounding. */
  readonly plan: Plan;
  readonly participants: number;
  /** Averages float64 means of the clipped updates, as no secure sum can; the plan's bits do not matter then. */
  readonly float: boolean;
  /** Folder of the files that the server has under `/data/`. */
  readonly dataDir: string;
}

export interface TrialResult {
  /** On all held-out data, after the last round. */
  readonly testAccuracy: number;
  /** Coordinates that were cut off, as a fraction, in the worst round. */
  readonly saturated: number;
  /** |mean that was applied − exact mean| / |exact mean|, averaged over the rounds. */
  readonly meanError: number;
  /** Of an update before clipping, the largest. */
  readonly largestNorm: number;
}

const UNHURRIED: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

/** One session serves all trials of a thread. */
let session: Promise<EngineSession> | undefined;

export async function runTrial({ plan, participants, float, dataDir }: Trial): Promise<TrialResult> {
  session ??= openNodeSession(planNetwork(plan));
  const engine = await session;
  const shards = await Promise.all(
    Array.from({ length: participants }, (_, i) => shardOf(plan, participants, i, dataDir)),
  );
  let model = initialModel(plan);
  let saturated = 0;
  let largestNorm = 0;
  let errors = 0;
  for (let round = 1; round <= plan.aggregation.rounds; round++) {
    const updates: Weighted[] = [];
    for (const [i, { training }] of shards.entries()) {
      engine.setParameters(model);
      await engine.train(training, plan.training, seedOf(plan, 'batches', round, i), UNHURRIED);
      const { clipped, norm } = clip(
        differenceOf(await engine.parameters(), model, planLayout(plan).sent),
        plan.aggregation.clipNorm,
      );
      updates.push({ update: clipped, weight: training.count });
      largestNorm = Math.max(largestNorm, norm);
    }
    const exact = applyUpdate(
      model,
      weightedMean(updates, plan),
      plan.aggregation.serverLearningRate,
      planLayout(plan),
    );
    if (float) {
      model = exact;
      continue;
    }
    const applied = await secureMean(model, updates, plan, round);
    errors += distance(applied.model, exact) / distance(exact, model);
    model = applied.model;
    saturated = Math.max(saturated, applied.saturated);
  }
  engine.setParameters(model);
  let correct = 0;
  let samples = 0;
  for (const { test } of shards) {
    const figures = await engine.evaluate(test);
    correct += figures.correct;
    samples += figures.samples;
  }
  return { testAccuracy: correct / samples, saturated, meanError: errors / plan.aggregation.rounds, largestNorm };
}

interface Weighted {
  readonly update: ClippedUpdate;
  readonly weight: number;
}

function weightedMean(updates: readonly Weighted[], plan: Plan): Float64Array {
  const { weightCap } = plan.aggregation;
  const weights = updates.map(({ weight }) => Math.min(weight, weightCap));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = new Float64Array(planLayout(plan).sentLength);
  updates.forEach(({ update }, k) => {
    const share = (weights[k] ?? 0) / total;
    update.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + share * value;
    });
  });
  return mean;
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0));
}

/** What participants and coordinator do with updates, the masks left out. */
async function secureMean(model: ModelParameters, updates: readonly Weighted[], plan: Plan, round: number) {
  const sumSpec = sumSpecFor('train', plan);
  const ring = ringBits(sumSpec, updates.length);
  const seed = rotationSeed(modelHashOf(model), round);
  const figures = { training: NO_FIGURES, validation: NO_FIGURES, test: NO_FIGURES };
  const summer = new SumService();
  summer.open({ plan });
  summer.load(model);
  summer.begin({ round, sumSpec, groupSizes: [updates.length] });
  let saturated = 0;
  for (const [i, { update, weight }] of updates.entries()) {
    const input = { sumSpec, plan, update, weight, figures, rotationSeed: seed };
    const quantised = quantise(input, seededRandom(seedOf(plan, 'rounding', round, i)));
    await summer.add(round, 0, packWords(quantised.vector, ring));
    saturated = Math.max(saturated, quantised.saturated);
  }
  summer.unmask(round, 0, updates.length, []);
  const { parameters } = summer.finish(round, updates.length, updates.length);
  return { model: parameters, saturated };
}

function shardOf(plan: Plan, count: number, index: number, dataDir: string): Promise<TrainingData> {
  if (plan.data.kind !== 'public') {
    throw new HushError('command/data', `"data.kind" is "${plan.data.kind}", expected "public" to measure with.`);
  }
  const shard = { index, count, split: plan.data.split, seed: plan.seed };
  const fetchFile = async (path: string): Promise<Response> =>
    new Response(await readFile(join(dataDir, basename(path))));
  return new PublicDataSource(plan, shard, fetchFile).load();
}

function seedOf(plan: Plan, purpose: string, round: number, participant: number) {
  return sha256(utf8(`trial ${purpose}`), uint32Bytes(plan.seed), uint32Bytes(round), uint32Bytes(participant));
}

function seededRandom(seed: Uint8Array): Random {
  const random = new SeededRandom(seed);
  return { bytes: (length) => random.bytes(length) };
}
