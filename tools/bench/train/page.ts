/** The page that the bench opens: a worker for each engine, and the memory that each of them takes. */
import { BENCH_ENGINES } from './cell.ts';
import type { BenchEngine, Reply } from './cell.ts';
// oxlint-disable-next-line import/default -- Vite makes it.
import workerUrl from './cell.worker.ts?worker&url';
import { measure } from './measure.ts';
import type { CellResult, MeasureOrder, Place } from './measure.ts';
import { runRounds } from './rounds.ts';
import type { RoundsOrder, RoundsResult } from './rounds.ts';
import { threadOn } from './thread.ts';
import type { CellThread } from './thread.ts';

/** What the bench's command calls in the page. */
export interface BenchPage {
  measure(order: MeasureOrder): Promise<readonly CellResult[]>;
  rounds(order: RoundsOrder): Promise<RoundsResult>;
}

/** Chromium, on pages that are isolated from other origins (WICG "performance-measure-memory"). */
interface MeasuresMemory {
  measureUserAgentSpecificMemory?(): Promise<{
    readonly breakdown: readonly {
      readonly bytes: number;
      readonly attribution: readonly { readonly url: string }[];
    }[];
  }>;
}

const place: Place = {
  open(engine: BenchEngine): CellThread {
    // The query tells the workers apart where memory is attributed.
    const worker = new Worker(`${workerUrl}?engine=${engine}`, { type: 'module', name: engine });
    return threadOn({
      send: (question) => worker.postMessage(question, []),
      onReply: (handler) => worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => handler(data)),
      onEnd: (handler) => worker.addEventListener('error', ({ message }) => handler(message)),
      end: () => worker.terminate(),
    });
  },
  async heapBytes(limitMs) {
    const measured = await Promise.race([
      (performance as MeasuresMemory).measureUserAgentSpecificMemory?.(),
      new Promise<undefined>((resolve) => setTimeout(resolve, limitMs, undefined)),
    ]);
    const heaps: Partial<Record<BenchEngine, number>> = {};
    for (const { bytes, attribution } of measured?.breakdown ?? []) {
      for (const { url } of attribution) {
        const engine = BENCH_ENGINES.find((name) => url.endsWith(`?engine=${name}`));
        if (engine !== undefined) heaps[engine] = (heaps[engine] ?? 0) + bytes;
      }
    }
    return heaps;
  },
};

(globalThis as unknown as { bench: BenchPage }).bench = {
  measure: (order) => measure(place, order),
  rounds: (order) => runRounds(place, order),
};
