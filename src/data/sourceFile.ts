/** A file that a person chose, read piece by piece. */
import { asHushError, HushError } from '../core/errors.ts';
import type { SourceFile } from '../core/sourceFile.ts';

export type { SourceFile } from '../core/sourceFile.ts';

/** Large enough for speed, small enough that a stop takes effect within some tens of milliseconds. */
const CHUNK_BYTES = 1024 * 1024;

export interface Reading {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file read since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

/** @throws HushError `data/aborted`, `data/unreadable`. */
export async function* chunksOf(
  { path, blob }: SourceFile,
  reading: Reading,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const read = (start: number): Promise<Uint8Array<ArrayBuffer>> | undefined => {
    if (start >= blob.size) return undefined;
    const chunk = bytesOf({ path, blob: blob.slice(start, start + chunkBytes) }, reading);
    // Heard of when it is awaited, unless whoever reads has given up before.
    chunk.catch(() => undefined);
    return chunk;
  };
  let next = read(0);
  for (let start = chunkBytes; next; start += chunkBytes) {
    const bytes = await next;
    // One ahead, so that the disk and the parser work at the same time.
    next = read(start);
    yield bytes;
  }
}

/** The whole of it. @throws HushError `data/aborted`, `data/unreadable`. */
export async function bytesOf({ path, blob }: SourceFile, reading: Reading): Promise<Uint8Array<ArrayBuffer>> {
  stopIfAborted(reading.signal);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    const why = asHushError(cause, 'data/unreadable').message;
    throw new HushError('data/unreadable', `${path} could not be read: ${why}`, {
      advice: 'It may have been changed or moved since it was chosen: choose it again.',
      cause,
    });
  }
  stopIfAborted(reading.signal);
  reading.onBytes?.(bytes.length);
  return bytes;
}

/** @throws HushError `data/aborted`. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HushError('data/aborted', 'Reading was stopped; what was read before is kept.');
}

/** What systems put beside a person's files. */
export function isHidden(path: string): boolean {
  return path.split('/').some((part) => /^(?:\.[^.].*|__MACOSX|Thumbs\.db|desktop\.ini)$/.test(part));
}
