/** A person's own files in the training worker: read in any number of turns, then given to the training. */
import type { DataReport, ReadProgress } from '../core/dataReport.ts';
import type { ExpectedData } from '../core/dataSchema.ts';
import type { TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { DataOrder } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { ImageDecoder } from '../data/imageDecoder.ts';
import { PrivateDataReader } from '../data/privateData.ts';

/** More often nobody sees, and thousands of small images would send as many messages. */
const PROGRESS_EVERY_MS = 100;

export class PrivateDataService {
  readonly #decoder: ImageDecoder;
  readonly #report: (progress: ReadProgress) => void;
  #reader: PrivateDataReader | undefined;
  #running: AbortController | undefined;

  constructor(decoder: ImageDecoder, report: (progress: ReadProgress) => void) {
    this.#decoder = decoder;
    this.#report = report;
  }

  /** @throws HushError `data/aborted` after `stop`, with what was read until then kept; `worker/order`. */
  async read({ plan, files, anew }: DataOrder): Promise<DataReport> {
    const expected = expectedBy(plan);
    if (anew) this.#reader = undefined;
    const leavesMissing = plan.statistics !== undefined;
    const reader = (this.#reader ??= new PrivateDataReader(expected, this.#decoder, leavesMissing));
    const running = (this.#running = new AbortController());
    let reportAtMs = 0;
    try {
      await reader.add(files, {
        signal: running.signal,
        onProgress: (progress) => {
          const now = performance.now();
          if (now < reportAtMs) return;
          reportAtMs = now + PROGRESS_EVERY_MS;
          this.#report(progress);
        },
      });
    } finally {
      this.#running = undefined;
    }
    return reader.report();
  }

  stop(): void {
    this.#running?.abort();
  }

  /** @throws HushError `data/nothing`, `worker/order`. */
  load(plan: Plan): TrainingData {
    expectedBy(plan);
    if (this.#reader === undefined) {
      throw new HushError('data/nothing', 'No files were chosen, and the plan trains on people’s own.', {
        advice: 'Choose files first.',
      });
    }
    return this.#reader.split(plan.evaluation.validationFraction, plan.seed);
  }
}

function expectedBy({ data }: Plan): ExpectedData {
  if (data.kind === 'private') return data.schema;
  throw new HushError('worker/order', `Files were given to a plan whose data is ${data.kind}.`);
}
