/** `npm run bench -- masks`: how fast masks are added, in Node and in a worker of a real browser. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { build } from 'vite';
import { HushError } from '../../src/core/errors.ts';
import { findChromium, QUIET_ARGS } from '../chromium.ts';
import { measureMasks } from './maskSpeeds.ts';
import type { MaskSpeeds } from './maskSpeeds.ts';

const MAX_RATIO = 12;
const MIN_GAIN = 4;
const WORDS = '10000000';
const REPEATS = '15';

const HELP = `npm run bench -- masks [--words N] [--repeats N] [--json]

Adds masks to a vector, several in one call as a round does and one alone, and compares with copying the vector and with
@noble/ciphers, in Node and in a worker of headless Chromium. Speeds are medians, in 10^6 bytes of the vector a second for
each mask; the ratio is that of copying to masking. The exit code is 1 when masking takes more
than ${MAX_RATIO} times as long as copying, or is less than ${MIN_GAIN} times as fast as @noble, in either.

  --words N    words of the vector, ${WORDS} unless given
  --repeats N  runs that the medians are taken from, ${REPEATS} unless given
  --json       the last line is one JSON object: both places, and the worst of each figure
  --help       shows this`;

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      words: { type: 'string' },
      repeats: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const words = count('--words', values.words ?? WORDS, 1000, 2 ** 27);
  const repeats = count('--repeats', values.repeats ?? REPEATS, 1, 1000);
  const places = { node: measureMasks(words, repeats), worker: await measureInBrowser(words, repeats) };
  const rounded = { node: round(places.node), worker: round(places.worker) };
  if (values.json) {
    const least = (name: keyof MaskSpeeds): number => Math.min(rounded.node[name], rounded.worker[name]);
    const worst = {
      memcpyMBps: least('memcpyMBps'),
      maskMBps: least('maskMBps'),
      oneMaskMBps: least('oneMaskMBps'),
    };
    const noble = { nobleMBps: Math.max(rounded.node.nobleMBps, rounded.worker.nobleMBps) };
    const ratio = Math.max(rounded.node.ratio, rounded.worker.ratio);
    console.log(JSON.stringify({ ...rounded, words, repeats, ...worst, ...noble, ratio }));
  } else {
    for (const [place, speeds] of Object.entries(rounded)) {
      const { memcpyMBps, maskMBps, oneMaskMBps, nobleMBps, ratio } = speeds;
      const masks = `masks ${maskMBps}, one mask ${oneMaskMBps}`;
      console.log(`${place}: memcpy ${memcpyMBps} MB/s, ${masks}, @noble ${nobleMBps}; ratio ${ratio}`);
    }
  }
  const holds = Object.values(places).every((p) => p.ratio <= MAX_RATIO && p.maskMBps >= MIN_GAIN * p.nobleMBps);
  return holds ? 0 : 1;
}

async function measureInBrowser(words: number, repeats: number): Promise<MaskSpeeds> {
  const code = await bundled(new URL('maskSpeeds.worker.ts', import.meta.url));
  const browser = await chromium.launch({ executablePath: await findChromium(), args: [...QUIET_ARGS] });
  try {
    const page = await browser.newPage();
    return await page.evaluate(
      ([text, order]) =>
        new Promise<MaskSpeeds>((resolve, reject) => {
          const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
          worker.addEventListener('message', ({ data }) => resolve(data as MaskSpeeds));
          worker.addEventListener('error', ({ message }) => reject(new Error(message)));
          worker.postMessage(order, []);
        }),
      [code, [words, repeats]] as const,
    );
  } finally {
    await browser.close();
  }
}

/** One script without imports. */
async function bundled(file: URL): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      lib: { entry: fileURLToPath(file), formats: ['iife'], name: 'bench' },
    },
  });
  const outputs = Array.isArray(built) ? built.flatMap(({ output }) => output) : 'output' in built ? built.output : [];
  const chunk = outputs.find((output) => output.type === 'chunk');
  if (chunk === undefined) throw new HushError('bench/bundle', `"${file.pathname}" was not bundled.`);
  return chunk.code;
}

function count(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new HushError('command/option', `"${option}" is "${text}", expected an integer from ${min} to ${max}.`);
}

function round(speeds: MaskSpeeds): MaskSpeeds {
  const ratio = Math.round(100 * speeds.ratio) / 100;
  const whole = Object.entries(speeds).map(([name, speed]) => [name, Math.round(speed as number)]);
  return { ...(Object.fromEntries(whole) as unknown as MaskSpeeds), ratio };
}
