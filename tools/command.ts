/** What every command does alike: its folder, its errors as sentences, its exit code. */
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asHushError, HushError } from '../src/core/errors.ts';

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** npm changes into the project's folder; paths are meant from where the person is. */
export function fromCaller(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

/** Runs `main` when its module is what Node was started with; what it gives is the exit code. */
export function runIfMain(moduleUrl: string, main: (args: string[]) => Promise<number>): void {
  const started = process.argv[1];
  if (!started || realpathSync(started) !== realpathSync(fileURLToPath(moduleUrl))) return;
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (thrown: unknown) => {
      console.error(sentence(thrown));
      process.exitCode = 1;
    },
  );
}

/** For people; a stranger's error keeps its stack, since it is a defect of ours. */
function sentence(thrown: unknown): string {
  if (thrown instanceof HushError) return thrown.toString();
  // node:util's parseArgs explains what it did not understand.
  const code = (thrown as { code?: unknown } | undefined)?.code;
  if (thrown instanceof Error && typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
    return `${thrown.message.replace(/\.$/, '')}. Use --help to see the options.`;
  }
  return thrown instanceof Error && thrown.stack ? thrown.stack : asHushError(thrown, 'command/failed').message;
}
