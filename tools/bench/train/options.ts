/** The options of `npm run bench -- train` and `-- rounds`. */
import { parseArgs } from 'node:util';
import { HushError } from '../../../src/core/errors.ts';
import { BENCH_ENGINES } from './cell.ts';
import type { BenchEngine } from './cell.ts';
import type { MeasureOrder } from './measure.ts';
import { BENCH_MODELS, MODEL_NAMES } from './models.ts';
import type { ModelName } from './models.ts';

const DEFAULT_MODELS: readonly ModelName[] = ['mlp', 'lenet', 'cnn', 'gpt', 'lstm'];
const DEFAULT_ENGINES: readonly BenchEngine[] = [
  'compiled-webgpu',
  'webgpu',
  'stock-webgpu',
  'compiled-wasm',
  'wasm',
  'stock-wasm',
];
const SECONDS = '3';
/** In Chromium a worker that ended a moment ago, a helper thread's too, keeps the answer away for a minute. */
const HEAP_LIMIT_MS = 75_000;
const ROUNDS = '5';

export interface TrainOptions {
  readonly help: boolean;
  readonly json: boolean;
  readonly orders: readonly MeasureOrder[];
  /** Where the bench for Node goes, instead of being run here. */
  readonly bundle: string | undefined;
  /** The machine's own graphics card, instead of one in software. */
  readonly gpu: boolean;
  readonly peakTflops: number | undefined;
  /** Node only: the WebGPU implementation. */
  readonly dawn: string | undefined;
}

/** What both the command and its bundle understand. */
export const TRAIN_OPTIONS_HELP = `  --models A,B   all but the last unless given:
${MODEL_NAMES.map((name) => `                   ${name.padEnd(9)}${BENCH_MODELS[name].about}`).join('\n')}
  --engines A,B  ${BENCH_ENGINES.slice(0, 6).join(', ')},
                 ${BENCH_ENGINES.slice(6).join(', ')};
                 ${DEFAULT_ENGINES.join(', ')} unless given
  --batch N      examples a step, instead of ${Object.entries(BENCH_MODELS)
    .slice(0, 5)
    .map(([name, { batch }]) => `${name} ${batch}`)
    .join(', ')}
  --seconds S    for all turns of one engine on one model together, ${SECONDS} unless given; a step is never cut short
  --rounds K     turns of each engine, ${ROUNDS} unless given; engines take turns, so that drift falls on all
  --peak T       the card's float32 peak in TFLOP/s: also trains "product", and tells its share of the peak
  --json         the last line is one JSON object
  --help         shows this`;

/** @throws HushError `command/…`, naming the option, its value and what was expected. */
export function readTrainOptions(args: readonly string[]): TrainOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: 'string' },
      engines: { type: 'string' },
      batch: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      peak: { type: 'string' },
      bundle: { type: 'string' },
      dawn: { type: 'string' },
      gpu: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const peakTflops = values.peak === undefined ? undefined : number('--peak', values.peak, 0.01, 10_000);
  const models = values.models === undefined ? DEFAULT_MODELS : names('--models', values.models, MODEL_NAMES);
  const engines = values.engines === undefined ? DEFAULT_ENGINES : names('--engines', values.engines, BENCH_ENGINES);
  const batch = values.batch === undefined ? undefined : wholeNumber('--batch', values.batch, 1, 65_536);
  const seconds = number('--seconds', values.seconds ?? SECONDS, 0.01, 600);
  const rounds = wholeNumber('--rounds', values.rounds ?? ROUNDS, 1, 1000);
  const measured = peakTflops !== undefined && !models.includes('product') ? [...models, 'product' as const] : models;
  return {
    help: values.help ?? false,
    json: values.json ?? false,
    orders: measured.map((model) => ({
      model,
      engines,
      batch: model === 'product' ? undefined : batch,
      seconds,
      rounds,
      heapLimitMs: HEAP_LIMIT_MS,
    })),
    bundle: values.bundle,
    gpu: values.gpu ?? false,
    peakTflops,
    dawn: values.dawn,
  };
}

/** Comma-separated, each once. */
export function names<Name extends string>(option: string, text: string, known: readonly Name[]): readonly Name[] {
  return [...new Set(text.split(','))].map((word) => {
    const found = known.find((name) => name === word);
    if (found !== undefined) return found;
    throw new HushError('command/option', `"${option}" has "${word}", expected one of ${known.join(', ')}.`);
  });
}

export function wholeNumber(option: string, text: string, min: number, max: number): number {
  if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new HushError('command/option', `"${option}" is "${text}", expected a whole number from ${min} to ${max}.`);
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new HushError('command/option', `"${option}" is "${text}", expected a number from ${min} to ${max}.`);
}
