/** A process that runs trials, see `pool.ts`. */
import { serveJobs } from '../training/pool.ts';
import { runTrial } from './trial.ts';

serveJobs(runTrial);
