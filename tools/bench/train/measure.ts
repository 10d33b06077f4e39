/** The bench itself: every engine on one model, in turns, so that whatever else the machine does falls on all of them. */
import { HushError } from '../../../src/core/errors.ts';
import { wholeSteps } from './cell.ts';
import type { BenchEngine, CellMemory, Opened } from './cell.ts';
import { BENCH_MODELS } from './models.ts';
import type { ModelName } from './models.ts';
import type { CellThread } from './thread.ts';

/** Opening and the first step, in which shaders compile; slower ones are given up. */
const FIRST_STEP_LIMIT_MS = 90_000;
/** The most that all turns of one engine take; who needs longer has fewer turns. */
const TURNS_LIMIT_MS = 60_000;
const JAVASCRIPT_MS = 400;
const MAX_JAVASCRIPT_STEPS = 400;

export interface MeasureOrder {
  readonly model: ModelName;
  readonly engines: readonly BenchEngine[];
  /** The model's own unless given. */
  readonly batch: number | undefined;
  /** For the turns of one engine together. */
  readonly seconds: number;
  readonly rounds: number;
  /** How long the measurement of JavaScript's heap may take. */
  readonly heapLimitMs: number;
}

export interface Place {
  open(engine: BenchEngine): CellThread;
  /** Bytes of JavaScript's heap by engine, for those that are open; empty where it cannot be told. */
  heapBytes(limitMs: number): Promise<Partial<Record<BenchEngine, number>>>;
}

/** As measured; `reason` when it could not be. */
export interface CellResult {
  readonly model: ModelName;
  readonly engine: BenchEngine;
  readonly batch: number;
  readonly reason: string | undefined;
  readonly opened: Opened | undefined;
  /** A training of one step, the first after the warm-up: with its data's way to the device, and a read-back. */
  readonly firstStepMs: number | undefined;
  /** The same once more. */
  readonly secondStepMs: number | undefined;
  readonly stepsPerTurn: number;
  /** Of each turn. */
  readonly samplesPerSecond: readonly number[];
  readonly dispatchesPerStep: number | undefined;
  readonly javascriptMsPerStep: number | undefined;
  readonly memory: CellMemory | undefined;
  readonly heapBytes: number | undefined;
}

type Draft = { -readonly [Key in keyof CellResult]: CellResult[Key] };

interface Running {
  readonly draft: Draft;
  readonly thread: CellThread;
  spentMs: number;
}

export async function measure(place: Place, order: MeasureOrder): Promise<readonly CellResult[]> {
  const { model, engines, rounds } = order;
  const batch = order.batch ?? BENCH_MODELS[model].batch;
  const all = engines.map((engine): Running => {
    const samplesPerSecond: readonly number[] = [];
    const nothing = { reason: undefined, opened: undefined, firstStepMs: undefined, dispatchesPerStep: undefined };
    const more = { secondStepMs: undefined, javascriptMsPerStep: undefined, memory: undefined, heapBytes: undefined };
    const draft = { model, engine, batch, stepsPerTurn: 1, samplesPerSecond, ...nothing, ...more };
    return { draft, thread: place.open(engine), spentMs: 0 };
  });
  try {
    for (const cell of all) await attempt(cell, () => start(cell, order, batch));
    for (let turn = 0; turn < rounds; turn++) {
      for (const cell of all) {
        if (cell.spentMs < TURNS_LIMIT_MS) await attempt(cell, () => takeTurn(cell, batch));
      }
    }
    for (const cell of all) await attempt(cell, () => finish(cell));
    const heaps = all.every(({ draft }) => draft.reason !== undefined) ? {} : await place.heapBytes(order.heapLimitMs);
    for (const { draft } of all) draft.heapBytes = heaps[draft.engine] ?? draft.memory?.heapBytes;
  } finally {
    for (const { thread } of all) thread.close();
  }
  return all.map(({ draft }) => draft);
}

async function attempt({ draft, thread }: Running, work: () => Promise<void>): Promise<void> {
  if (draft.reason !== undefined) return;
  try {
    await work();
  } catch (thrown) {
    draft.reason = reasonOf(thrown);
    thread.close();
  }
}

async function start(
  { draft, thread }: Running,
  { model, seconds, rounds }: MeasureOrder,
  batch: number,
): Promise<void> {
  draft.opened = await thread.ask({ kind: 'open', engine: draft.engine, model, batch }, FIRST_STEP_LIMIT_MS);
  draft.firstStepMs = await thread.ask({ kind: 'train', steps: 1 }, FIRST_STEP_LIMIT_MS);
  draft.secondStepMs = await thread.ask({ kind: 'train', steps: 1 }, TURNS_LIMIT_MS);
  draft.stepsPerTurn = await stepsWithin(thread, (1000 * seconds) / rounds);
}

/** So many steps as take about `turnMs`; warms the engine up on the way. */
async function stepsWithin(thread: CellThread, turnMs: number): Promise<number> {
  let steps = 1;
  for (;;) {
    const tookMs = Math.max(0.01, await thread.ask({ kind: 'train', steps }, TURNS_LIMIT_MS));
    const fitting = wholeSteps((steps * turnMs) / tookMs);
    // What begins and ends a training counts less and less.
    if (tookMs > turnMs / 4) return fitting;
    steps = Math.min(fitting, wholeSteps(8 * steps));
  }
}

async function takeTurn(cell: Running, batch: number): Promise<void> {
  const steps = cell.draft.stepsPerTurn;
  const tookMs = await cell.thread.ask({ kind: 'train', steps }, 2 * TURNS_LIMIT_MS);
  cell.spentMs += tookMs;
  cell.draft.samplesPerSecond = [...cell.draft.samplesPerSecond, (1000 * batch * steps) / tookMs];
}

async function finish({ draft, thread }: Running): Promise<void> {
  draft.memory = await thread.ask({ kind: 'memory' }, TURNS_LIMIT_MS);
  if (!draft.engine.includes('webgpu')) return;
  draft.dispatchesPerStep = await thread.ask({ kind: 'dispatches', steps: 2 }, TURNS_LIMIT_MS);
  const once = Math.max(0.05, await thread.ask({ kind: 'javascript', steps: 2 }, TURNS_LIMIT_MS));
  const steps = Math.min(MAX_JAVASCRIPT_STEPS, Math.ceil(JAVASCRIPT_MS / once));
  draft.javascriptMsPerStep = await thread.ask({ kind: 'javascript', steps }, TURNS_LIMIT_MS);
}

function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const kernel = /Kernel '(\w+)' not registered/.exec(message)?.[1];
  if (kernel !== undefined) return `throws: ${kernel}`;
  return thrown instanceof HushError ? message : `failed: ${message}`;
}
