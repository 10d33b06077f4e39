/** `npm run bench -- rounds`: whether memory stays where it is over many rounds in one tab. */
import { parseArgs } from 'node:util';
import { openBenchPage } from './train/browser.ts';
import { BENCH_ENGINES } from './train/cell.ts';
import { BENCH_MODELS, MODEL_NAMES } from './train/models.ts';
import { names, wholeNumber } from './train/options.ts';
import { flatnessOf } from './train/report.ts';

const ROUNDS = '200';
const STEPS = '10';
const LAST = 50;

const HELP = `npm run bench -- rounds [--rounds R] [--engine NAME] [--model NAME] [--steps N] [--every E] [--json]

Trains R rounds with one engine in one worker of headless Chromium, as a participant's tab does, and looks at the
memory after the last ${LAST}: buffers of the graphics device, WebAssembly's memories and JavaScript's heap. The exit code is 1
when any of them varies by more than 2 %.

  --rounds R     ${ROUNDS} unless given
  --engine NAME  ${BENCH_ENGINES.join(', ')};
                 compiled-webgpu unless given
  --model NAME   ${MODEL_NAMES.filter((name) => name !== 'product').join(', ')}; mlp unless given
  --steps N      steps of each round's local training, ${STEPS} unless given
  --every E      looks after one in so many of the last ${LAST}, 1 unless given; with compiled-wasm, whose helper threads end
                 with each round, Chromium tells the heap a minute later: 10 takes six minutes
  --gpu          uses the machine's own graphics card; SwiftShader, which is one in software, unless given
  --json         the last line is one JSON object
  --help         shows this`;

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      engine: { type: 'string' },
      model: { type: 'string' },
      steps: { type: 'string' },
      every: { type: 'string' },
      gpu: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const rounds = wholeNumber('--rounds', values.rounds ?? ROUNDS, 2, 100_000);
  const steps = wholeNumber('--steps', values.steps ?? STEPS, 1, 20);
  const every = wholeNumber('--every', values.every ?? '1', 1, LAST / 5);
  const [engine = 'compiled-webgpu'] = names('--engine', values.engine ?? 'compiled-webgpu', BENCH_ENGINES);
  const [model = 'mlp'] = names('--model', values.model ?? 'mlp', MODEL_NAMES);
  const browser = await openBenchPage({ gpu: values.gpu ?? false });
  try {
    const order = { model, engine, rounds, steps, last: Math.min(LAST, rounds - 1), every };
    const { adapter, first, last } = await browser.call('rounds', order);
    const memory = {
      gpu: flatnessOf(
        first.gpuBytes,
        last.map(({ gpuBytes }) => gpuBytes),
      ),
      wasm: flatnessOf(
        first.wasmBytes,
        last.map(({ wasmBytes }) => wasmBytes),
      ),
      heap: flatnessOf(
        first.heapBytes ?? Number.NaN,
        last.map(({ heapBytes }) => heapBytes ?? Number.NaN),
      ),
    };
    const flat = Object.values(memory).every((each) => each.flat);
    const parameters = { model, batch: BENCH_MODELS[model].batch, engine, adapter, rounds, steps };
    if (values.json) console.log(JSON.stringify({ ...parameters, looked: last.length, memory, flat }));
    else {
      for (const [name, { first, lowest, highest, spread }] of Object.entries(memory)) {
        console.log(
          `${name.padEnd(6)}first ${first}, last ${last.length}: ${lowest} to ${highest} bytes, ${100 * spread} %`,
        );
      }
      console.log(flat ? 'Memory is flat.' : 'Memory is NOT flat.');
    }
    return flat ? 0 : 1;
  } finally {
    await browser.close();
  }
}
