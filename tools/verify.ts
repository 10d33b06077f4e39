/** Verifies a finished run from the files that `npm run federate` writes, believing nobody. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HushError } from '../src/core/errors.ts';
import { runIfMain } from './command.ts';
import { readVerifyOptions, VERIFY_HELP } from './verify/options.ts';
import { FILE_NAMES, MORE_FILE_NAMES, verifyRun } from './verify/verifyRun.ts';
import type { Check, FileName, GivenFiles, Verdict } from './verify/verifyRun.ts';

runIfMain(import.meta.url, async (args) => {
  const options = readVerifyOptions(args);
  if (options.help) {
    console.log(VERIFY_HELP);
    return 0;
  }
  const verdict = await verifyRun(await readFiles(options.folder), options.pins);
  if (options.json) {
    const { checks: _checks, ...report } = verdict;
    console.log(JSON.stringify(report));
  } else {
    for (const check of verdict.checks) console.log(checkLine(check));
    console.log(verdictLine(verdict));
  }
  return verdict.ok ? 0 : 1;
});

async function readFiles(folder: string): Promise<GivenFiles> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new HushError('command/folder', `"${folder}" is no folder, expected one with ${FILE_NAMES.join(', ')}.`);
  }
  const entries = FILE_NAMES.map(async (name): Promise<[FileName, Uint8Array]> => {
    const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
      throw new HushError('command/file', `"${join(folder, name)}" cannot be read, expected a file of the run.`, {
        cause,
      });
    });
    return [name, bytes];
  });
  const more = MORE_FILE_NAMES.map(async (name): Promise<readonly [FileName, Uint8Array][]> => {
    const there = await stat(join(folder, name)).catch(() => undefined);
    return there === undefined ? [] : [[name, await readFile(join(folder, name))]];
  });
  return Object.fromEntries([...(await Promise.all(entries)), ...(await Promise.all(more)).flat()]) as GivenFiles;
}

function checkLine({ name, ok, text }: Check): string {
  return `${ok ? 'ok   ' : 'WRONG'} ${name.padEnd(12)} ${text}`;
}

function verdictLine({ ok, problems }: Verdict): string {
  return ok
    ? 'Accepted.'
    : `Rejected: ${problems.length === 1 ? 'one thing is' : `${problems.length} things are`} wrong.`;
}
