/** A federation in one thread, beside what averaging its updates in floating point would have given. */
import { utf8 } from '../../src/core/bytes.ts';
import type { EngineSession } from '../../src/core/engine.ts';
import { planLayout, planNetwork, withNetwork } from '../../src/core/planLayout.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { ClippedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { applyUpdate } from '../../src/update/applyUpdate.ts';
import { clip, differenceOf } from '../../src/update/clip.ts';
import { openNodeEngine } from '../training/nodeEngine.ts';
import type { NodeEngine } from '../training/nodeEngine.ts';
import { shardsOf } from '../training/shards.ts';
import { TrainingRun } from '../training/trainingRun.ts';

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

export async function runTrial({ plan, participants, float, dataDir }: Trial): Promise<TrialResult> {
  const { rounds, clipNorm, serverLearningRate } = plan.aggregation;
  const layout = planLayout(plan);
  const engine = await openNodeEngine(planNetwork(plan));
  try {
    const shards = await shardsOf(plan, participants, { dataDir, entries: [] });
    const weights = shards.map(({ training }) => training.count);
    const trained: ModelParameters[] = [];
    const run = await TrainingRun.begin({
      // The order of the batches follows from these bytes: it is the same whatever the bits are.
      document: { plan, bytes: utf8(JSON.stringify({ ...plan, aggregation: undefined })) },
      shards,
      engine: overheard(engine, (parameters) => trained.push(parameters)),
      masks: false,
      dropout: 0,
    });
    let saturated = 0;
    let largestNorm = 0;
    let errors = 0;
    for (let round = 1; round <= rounds; round++) {
      const before = run.model.parameters;
      const { reports } = await run.round('train');
      const updates = trained.splice(0).map((after) => {
        const raw = differenceOf(withNetwork(layout, before, after), before, layout.sent);
        return clip(raw, clipNorm).clipped;
      });
      const exact = applyUpdate(before, weightedMean(updates, weights, plan), serverLearningRate, layout);
      largestNorm = Math.max(largestNorm, ...reports.map(({ updateNorm }) => updateNorm));
      if (float) {
        run.load(exact);
        continue;
      }
      errors += distance(run.model.parameters, exact) / distance(exact, before);
      saturated = Math.max(saturated, ...reports.map((report) => report.saturated));
    }
    const { point } = await run.round('evaluate');
    return { testAccuracy: point.testAccuracy ?? 0, saturated, meanError: errors / rounds, largestNorm };
  } finally {
    engine.close();
  }
}

/** The engine, with an ear on what each training ends in: no worker tells what has not been masked. */
function overheard(
  { session, chosen }: NodeEngine,
  heard: (parameters: ModelParameters) => void,
): Pick<NodeEngine, 'chosen'> {
  const listening: EngineSession = {
    setParameters: (parameters) => session.setParameters(parameters),
    train: (...given) => session.train(...given),
    evaluate: (...given) => session.evaluate(...given),
    predict: (...given) => session.predict(...given),
    liveTensors: () => session.liveTensors(),
    close: () => session.close(),
    parameters: async () => {
      const parameters = await session.parameters();
      heard(parameters);
      return parameters;
    },
  };
  return { chosen: { ...chosen, engine: { ...chosen.engine, open: () => Promise.resolve(listening) } } };
}

function weightedMean(updates: readonly ClippedUpdate[], samples: readonly number[], plan: Plan): Float64Array {
  const weights = samples.map((weight) => Math.min(weight, plan.aggregation.weightCap));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = new Float64Array(updates[0]?.length ?? 0);
  updates.forEach((update, k) => {
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
