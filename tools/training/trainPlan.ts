/** Trains a plan from its first model to its last round, and tells what came of it. */
import { utf8 } from '../../src/core/bytes.ts';
import type { Hash } from '../../src/core/ids.ts';
import { planNetwork } from '../../src/core/planLayout.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { MeasuredPoint } from '../../src/core/runView.ts';
import { readSavedModel } from '../../src/core/savedModel.ts';
import { startOf } from '../../src/federation/start.ts';
import { startFiles } from '../federate/start.ts';
import { openNodeEngine } from './nodeEngine.ts';
import { shardsOf } from './shards.ts';
import type { DataPlaces } from './shards.ts';
import { TrainingRun } from './trainingRun.ts';
import type { RoundOutcome } from './trainingRun.ts';

/** What goes to a process. */
export interface TrainingJob extends DataPlaces {
  /** The plan's document as it is run: its hash and its seed fix everything. */
  readonly plan: string;
  readonly participants: number;
  readonly masks: boolean;
  readonly dropout: number;
  /** A file of the saved model that the plan begins with. */
  readonly start: string | undefined;
}

export interface TrainedPlan {
  readonly modelHash: Hash;
  readonly parameters: number;
  /** Of the first model, and after each round. */
  readonly curve: readonly MeasuredPoint[];
  readonly seconds: number;
}

export interface JobProgress {
  /** Of everything, 0 to 1. */
  readonly fraction: number;
  /** Of the newest model that was measured; undefined before the first one was. */
  readonly point: MeasuredPoint | undefined;
}

/** @throws HushError `data/…`, `engine/…`, `sum/…`, `simulate/quorum`. */
export async function trainPlan(
  job: TrainingJob,
  onProgress: (progress: JobProgress) => void = () => undefined,
): Promise<TrainedPlan> {
  const startedMs = performance.now();
  const document = parsePlan(utf8(job.plan));
  const { plan } = document;
  const { rounds } = plan.aggregation;
  const start = await startOf(plan, job.start === undefined ? undefined : readSavedModel(await startFiles(job.start)));
  const engine = await openNodeEngine(planNetwork(plan));
  try {
    const shards = await shardsOf(plan, job.participants, job);
    const curve: MeasuredPoint[] = [];
    const tell = (part: number): void => {
      onProgress({ fraction: (curve.length + part) / (rounds + 1), point: curve.at(-1) });
    };
    const measured = ({ point }: RoundOutcome): void => {
      curve.push(point);
      tell(0);
    };
    const run = await TrainingRun.begin({ ...job, document, shards, engine, onTrained: tell });
    if (start) run.load(start.parameters);
    if (run.next === 'statistics') await run.round('statistics');
    while (run.next === 'train') measured(await run.round('train'));
    measured(await run.round('evaluate'));
    const { hash, parameters } = run.model;
    return {
      modelHash: hash,
      parameters: parameters.length,
      curve,
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    engine.close();
  }
}
