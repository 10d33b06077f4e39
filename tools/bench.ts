/** Measurements from the command line, each by its name; every one is loaded only when it is asked for. */
import { HushError } from '../src/core/errors.ts';
import { runIfMain } from './command.ts';

interface Benchmark {
  readonly about: string;
  readonly load: () => Promise<{ readonly run: (args: string[]) => Promise<number> }>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  masks: {
    about: 'how fast masks are added, in Node and in a browser worker, against memcpy and @noble',
    load: () => import('./bench/masks.ts'),
  },
  train: {
    about: 'how fast each engine trains, beside stock tfjs',
    load: () => import('./bench/train.ts'),
  },
  rounds: {
    about: 'whether memory stays where it is over many rounds in one tab',
    load: () => import('./bench/rounds.ts'),
  },
  bits: {
    about: 'how training fares with few bits a value, with and without rotation',
    load: () => import('./bench/bits.ts'),
  },
};

const HELP = `npm run bench -- NAME [OPTIONS]

Measures one thing.

${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(8)}${about}`)
  .join('\n')}

  --json  the last line is one JSON object
  --help  shows this, or after a name the options of that one`;

runIfMain(import.meta.url, async ([name, ...rest]) => {
  if (name === '--help') {
    console.log(HELP);
    return 0;
  }
  const benchmark = Object.hasOwn(BENCHMARKS, name ?? '') ? BENCHMARKS[name ?? ''] : undefined;
  if (benchmark === undefined) {
    const expected = Object.keys(BENCHMARKS).join(', ');
    throw new HushError('command/bench', `"${name ?? ''}" is no measurement, expected one of ${expected}.`);
  }
  const { run } = await benchmark.load();
  return await run(rest);
});
