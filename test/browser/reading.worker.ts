/** Reads files as the training worker will: what is posted is read, and the report comes back. */
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import { browserImages } from '../../src/data/browserImages.ts';
import { PrivateDataReader } from '../../src/data/privateData.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';

export interface ReadingOrder {
  readonly expected: unknown;
  readonly files: readonly SourceFile[];
  /** Stops once so many bytes are read. */
  readonly stopAt?: number;
}

const { self: worker } = globalThis as unknown as { self: DedicatedWorkerGlobalScope };

async function read({ expected, files, stopAt = Infinity }: ReadingOrder): Promise<void> {
  const reader = new PrivateDataReader(parseExpectedData(expected), browserImages);
  const stop = new AbortController();
  const ended = await reader
    .add(files, {
      signal: stop.signal,
      onProgress: ({ bytesRead }) => {
        if (bytesRead > stopAt) stop.abort();
      },
    })
    .then(
      () => 'read',
      (error: unknown) => String(error),
    );
  const data = reader.split(0.25, 1);
  const moved = [data.training.inputs.buffer, data.validation.inputs.buffer];
  worker.postMessage({ ended, report: reader.report(), data }, moved);
}

worker.addEventListener('message', ({ data }: MessageEvent<ReadingOrder>) => void read(data));
