/** Entry of the bench's bundle for Node: measures with a process for each engine, on Dawn where it is given. */
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { asHushError, HushError } from '../../../src/core/errors.ts';
import { Cell } from './cell.ts';
import type { BenchEngine, Question, Reply } from './cell.ts';
import { measure } from './measure.ts';
import type { Place } from './measure.ts';
import { readTrainOptions, TRAIN_OPTIONS_HELP } from './options.ts';
import type { TrainOptions } from './options.ts';
import { rowsOf, tableText } from './report.ts';
import type { Row } from './report.ts';
import { threadOn } from './thread.ts';
import type { CellThread } from './thread.ts';

const CELL = '--cell';

const HELP = `node FILE [--models A,B] [--engines A,B] [--dawn PATH] [--json]

Trains models on noise with each engine, in a process of its own, and compares with stock tfjs.

  --dawn PATH    dawn.node of the npm package webgpu, for engines on WebGPU; the environment variable DAWN unless given
${TRAIN_OPTIONS_HELP}`;

async function main(args: readonly string[]): Promise<number> {
  const options = readTrainOptions(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const dawn = dawnFor(options);
  const rows: Row[] = [];
  for (const order of options.orders) {
    const measured = rowsOf(await measure(placeWith(dawn), order), options.peakTflops);
    rows.push(...measured);
    if (!options.json) console.log(tableText(measured));
  }
  if (options.json) console.log(JSON.stringify({ where: 'node', gpu: dawn !== undefined, rows }));
  return rows.some(({ samplesPerSecond }) => samplesPerSecond !== null) ? 0 : 1;
}

/** @throws HushError `bench/dawn` when an engine needs it and there is none, or it cannot be loaded. */
function dawnFor({ dawn, orders }: TrainOptions): string | undefined {
  const given = dawn ?? process.env['DAWN'];
  const needs = orders.flatMap(({ engines }) => engines).find((engine) => engine.includes('webgpu'));
  if (needs === undefined) return undefined;
  const advice = 'Get it by npm install webgpu, or leave the engines on WebGPU out with --engines.';
  if (given === undefined) {
    throw new HushError(
      'bench/dawn',
      `"--dawn" is not given, expected the path of dawn.node, which the engine "${needs}" needs.`,
      { advice },
    );
  }
  const path = resolve(given);
  try {
    loadDawn(path);
  } catch (cause) {
    const [why = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new HushError('bench/dawn', `"--dawn" is "${given}", which cannot be loaded: ${why}.`, { advice, cause });
  }
  return path;
}

function loadDawn(path: string): { create(flags: readonly string[]): GPU; globals: object } {
  return createRequire(__filename)(path) as ReturnType<typeof loadDawn>;
}

function placeWith(dawn: string | undefined): Place {
  return {
    open(engine: BenchEngine): CellThread {
      const child = fork(__filename, [CELL, engine, ...(dawn === undefined ? [] : [dawn])], {
        execArgv: ['--expose-gc'],
        serialization: 'advanced',
        // What Dawn has to say is not part of the table.
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      return threadOn({
        send: (question) => void child.send(question),
        onReply: (handler) => void child.on('message', (reply) => handler(reply as Reply)),
        onEnd: (handler) => void child.on('exit', (code, signal) => handler(`code ${code ?? signal}`)),
        end: () => void child.kill(),
      });
    },
    heapBytes: () => Promise.resolve({}),
  };
}

function serveCell(dawn: string | undefined): void {
  if (dawn !== undefined) {
    const binding = loadDawn(dawn);
    Object.assign(globalThis, binding.globals);
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: binding.create([]) }, configurable: true });
  }
  const cell = new Cell();
  process.on('message', (question: Question) => {
    void cell.reply(question).then((reply) => process.send?.(reply));
  });
}

const [first, , dawn] = process.argv.slice(2);
if (first === CELL) {
  serveCell(dawn);
} else {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (thrown: unknown) => {
      console.error(asHushError(thrown, 'bench/failed').toString());
      process.exitCode = 1;
    },
  );
}
