/** The training bench's table: what was measured, and how it compares with stock tfjs on the same technology. */
import type { BenchEngine } from './cell.ts';
import type { CellResult } from './measure.ts';
import { BENCH_MODELS, productOperations } from './models.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly model: string;
  readonly engine: BenchEngine;
  /** Why there is nothing measured, or not all; null when all is well. */
  readonly reason: string | null;
  readonly adapter: string | null;
  readonly batch: number;
  readonly turns: number;
  readonly stepsPerTurn: number;
  readonly samplesPerSecond: Spread | null;
  readonly medianStepMs: number | null;
  readonly openMs: number | null;
  readonly firstStepMs: number | null;
  readonly secondStepMs: number | null;
  readonly dispatchesPerStep: number | null;
  readonly javascriptMsPerStep: number | null;
  /** In 10^6 bytes: the device's buffers at their most, WebAssembly's memories and JavaScript's heap at the end. */
  readonly memoryMB: { readonly gpuPeak: number; readonly wasm: number; readonly heap: number | null } | null;
  /** How many times the samples a second of stock tfjs on the same technology; null without that in the same run. */
  readonly ratioToStock: number | null;
  readonly stock: BenchEngine | null;
  /** Of the matrix products, where they are the whole of a step and the card's peak is known. */
  readonly shareOfPeak: number | null;
}

const STOCK: Readonly<Record<BenchEngine, BenchEngine | undefined>> = {
  'compiled-webgpu': 'stock-webgpu',
  'compiled-wasm': 'stock-wasm',
  webgpu: 'stock-webgpu',
  wasm: 'stock-wasm',
  webgl: 'stock-webgl',
  cpu: 'stock-cpu',
  'stock-webgpu': undefined,
  'stock-wasm': undefined,
  'stock-webgl': undefined,
  'stock-cpu': undefined,
};

/** `peakTflops`: what the card's maker says of float32, in 10^12 operations a second. */
export function rowsOf(results: readonly CellResult[], peakTflops?: number): readonly Row[] {
  return results.map((result) => {
    const { model, engine, batch, opened, memory, heapBytes } = result;
    const speed = spreadOf(result.samplesPerSecond);
    const stock = STOCK[engine];
    const beside = results.find((other) => other.model === model && other.engine === stock);
    const stockSpeed = beside && spreadOf(beside.samplesPerSecond);
    const operations = model === 'product' ? productOperations({ ...BENCH_MODELS[model], batch }) : undefined;
    const tflops = operations && speed && ((operations / batch) * speed.median) / 1e12;
    return {
      model,
      engine,
      reason: result.reason ?? null,
      adapter: opened?.adapter ?? null,
      batch,
      turns: result.samplesPerSecond.length,
      stepsPerTurn: result.stepsPerTurn,
      samplesPerSecond: speed ?? null,
      medianStepMs: speed ? rounded((1000 * batch) / speed.median) : null,
      openMs: orNull(opened?.tookMs),
      firstStepMs: orNull(result.firstStepMs),
      secondStepMs: orNull(result.secondStepMs),
      dispatchesPerStep: orNull(result.dispatchesPerStep),
      javascriptMsPerStep: orNull(result.javascriptMsPerStep),
      memoryMB: memory
        ? {
            gpuPeak: rounded(memory.gpuPeakBytes / 1e6),
            wasm: rounded(memory.wasmBytes / 1e6),
            heap: orNull(heapBytes === undefined ? undefined : heapBytes / 1e6),
          }
        : null,
      ratioToStock: speed && stockSpeed ? rounded(speed.median / stockSpeed.median) : null,
      stock: stockSpeed && stock ? stock : null,
      shareOfPeak: tflops && peakTflops ? rounded(tflops / peakTflops) : null,
    };
  });
}

function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  const median = ((low ?? 0) + (high ?? 0)) / 2;
  return { median: rounded(median), min: rounded(sorted[0] ?? 0), max: rounded(sorted.at(-1) ?? 0) };
}

/** To four digits: more are noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function orNull(value: number | undefined): number | null {
  return value === undefined ? null : rounded(value);
}

const COLUMNS: readonly (readonly [head: string, width: number, cell: (row: Row) => string])[] = [
  ['model', 9, ({ model }) => model],
  ['engine', 17, ({ engine }) => engine],
  ['samples/s', 24, ({ samplesPerSecond: s }) => (s ? `${s.median} (${s.min}–${s.max})` : '–')],
  ['of stock', 10, ({ ratioToStock }) => (ratioToStock === null ? '–' : `× ${ratioToStock}`)],
  ['dispatches', 12, ({ dispatchesPerStep }) => figure(dispatchesPerStep)],
  ['JS ms', 9, ({ javascriptMsPerStep }) => figure(javascriptMsPerStep)],
  ['warm ms', 9, ({ openMs }) => figure(openMs)],
  ['first ms', 10, ({ firstStepMs }) => figure(firstStepMs)],
  ['step ms', 9, ({ medianStepMs }) => figure(medianStepMs)],
  ['MB gpu/wasm/js', 20, ({ memoryMB: m }) => (m ? `${m.gpuPeak}/${m.wasm}/${m.heap ?? '–'}` : '–')],
  [
    '',
    0,
    ({ reason, shareOfPeak }) => reason ?? (shareOfPeak === null ? '' : `${Math.round(100 * shareOfPeak)} % of peak`),
  ],
];

function figure(value: number | null): string {
  return value === null ? '–' : String(value);
}

export function tableText(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(COLUMNS[i]?.[1] ?? 0))
      .join('')
      .trimEnd();
  return [line(COLUMNS.map(([head]) => head)), ...rows.map((row) => line(COLUMNS.map(([, , cell]) => cell(row))))].join(
    '\n',
  );
}

export interface Flatness {
  readonly first: number;
  readonly lowest: number;
  readonly highest: number;
  /** How much the highest of the last rounds is above the lowest, as a fraction. */
  readonly spread: number;
  readonly flat: boolean;
}

const FLAT_WITHIN = 0.02;

/** `values`: bytes after each of the last rounds. */
export function flatnessOf(first: number, values: readonly number[]): Flatness {
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const spread = highest === lowest ? 0 : (highest - lowest) / lowest;
  return { first, lowest, highest, spread: rounded(spread), flat: spread <= FLAT_WITHIN };
}
