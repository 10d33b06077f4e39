/** Fetches one served file and unpacks it, never holding more than a limit. */
import { concatBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';

/** Gives the file at a path such as `/data/name.gz`; the page's own `fetch`, or a fake. */
export type FetchFile = (path: string) => Promise<Response>;

/**
 * @throws HushError `data/unreachable` (no answer, or not a success), `data/damaged` (not valid gzip), `data/too-large`.
 */
export async function fetchUnpacked(path: string, maxBytes: number, fetchFile: FetchFile): Promise<Bytes> {
  const packed = await fetchBody(path, fetchFile);
  const [forPeek, whole] = packed.tee();
  // Some servers label a .gz file "Content-Encoding: gzip", and the browser has unpacked it already.
  const isGzip = await startsLikeGzip(forPeek, path);
  const content = isGzip ? whole.pipeThrough(new DecompressionStream('gzip')) : whole;
  return await readLimited(content, path, maxBytes);
}

type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

async function fetchBody(path: string, fetchFile: FetchFile): Promise<ByteStream> {
  let response: Response;
  try {
    response = await fetchFile(path);
  } catch (cause) {
    throw unreachable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!response.ok) throw unreachable(path, `the server answered ${response.status}`, undefined);
  if (!response.body) throw unreachable(path, 'the answer was empty', undefined);
  return response.body;
}

async function startsLikeGzip(stream: ByteStream, path: string): Promise<boolean> {
  const reader = stream.getReader();
  let head: Bytes = new Uint8Array(0);
  try {
    while (head.length < 2) {
      const { done, value } = await reader.read();
      if (done) break;
      head = concatBytes(head, value);
    }
  } catch (cause) {
    throw unreachable(path, 'the connection broke', cause);
  }
  // Not awaited: cancelling one branch of a tee settles only when the other is done too.
  void reader.cancel();
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function readLimited(stream: ByteStream, path: string, maxBytes: number): Promise<Bytes> {
  const reader = stream.getReader();
  const chunks: Bytes[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HushError('data/damaged', `${path} could not be unpacked: ${why}`, {
        advice: 'Ask whoever runs the server to build its data files again.',
        cause,
      });
    });
    if (done) return concatBytes(...chunks);
    length += value.length;
    if (length > maxBytes) {
      void reader.cancel().catch(() => undefined);
      throw new HushError('data/too-large', `${path} unpacks to more than ${maxBytes} bytes, the most expected.`);
    }
    chunks.push(value);
  }
}

function unreachable(path: string, why: string, cause: unknown): HushError {
  return new HushError('data/unreachable', `${path} could not be fetched: ${why}.`, {
    advice: 'Check that the server is running and try again.',
    cause,
  });
}
