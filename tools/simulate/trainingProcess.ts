/** A process that trains plans, see `pool.ts`. */
import { HushError } from '../../src/core/errors.ts';
import { serveJobs } from '../training/pool.ts';
import { trainPlan } from '../training/trainPlan.ts';
import type { JobProgress, TrainedPlan, TrainingJob } from '../training/trainPlan.ts';

/** A combination that cannot be trained, because it diverges for instance, is no reason to give up the others. */
export type JobOutcome = TrainedPlan | { readonly problem: string };

serveJobs<TrainingJob, JobProgress, JobOutcome>(async (job, tell) => {
  try {
    return await trainPlan(job, tell);
  } catch (thrown) {
    if (thrown instanceof HushError) return { problem: thrown.toString() };
    throw thrown;
  }
});
