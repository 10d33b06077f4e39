/** Whether memory stays where it is over many rounds in one thread. */
import type { BenchEngine } from './cell.ts';
import { BENCH_MODELS } from './models.ts';
import type { ModelName } from './models.ts';
import type { Place } from './measure.ts';

const OPEN_LIMIT_MS = 90_000;
const ROUND_LIMIT_MS = 60_000;

export interface RoundsOrder {
  readonly model: ModelName;
  readonly engine: BenchEngine;
  readonly rounds: number;
  /** Of each round's local training. */
  readonly steps: number;
  /** How many rounds at the end are looked at. */
  readonly last: number;
  /** One in so many of them is. */
  readonly every: number;
}

export interface RoundMemory {
  readonly gpuBytes: number;
  readonly wasmBytes: number;
  readonly heapBytes: number | undefined;
}

export interface RoundsResult {
  readonly adapter: string;
  /** After the first round, then after each of the last ones. */
  readonly first: RoundMemory;
  readonly last: readonly RoundMemory[];
}

export async function runRounds(place: Place, order: RoundsOrder): Promise<RoundsResult> {
  const { model, engine, rounds, steps, last, every } = order;
  const thread = place.open(engine);
  try {
    const { batch } = BENCH_MODELS[model];
    const { adapter } = await thread.ask({ kind: 'open', engine, model, batch }, OPEN_LIMIT_MS);
    const look = async (): Promise<RoundMemory> => {
      const { gpuBytes, wasmBytes, heapBytes } = await thread.ask({ kind: 'memory' }, ROUND_LIMIT_MS);
      return { gpuBytes, wasmBytes, heapBytes: (await place.heapBytes(OPEN_LIMIT_MS))[engine] ?? heapBytes };
    };
    await thread.ask({ kind: 'round', steps }, OPEN_LIMIT_MS);
    const first = await look();
    const seen: RoundMemory[] = [];
    for (let round = 2; round <= rounds; round++) {
      await thread.ask({ kind: 'round', steps }, ROUND_LIMIT_MS);
      if (round > rounds - last && (rounds - round) % every === 0) seen.push(await look());
    }
    return { adapter, first, last: seen };
  } finally {
    thread.close();
  }
}
