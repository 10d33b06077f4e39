/** The files of a saved model that a federation begins with. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HushError } from '../../src/core/errors.ts';
import type { NamedBytes } from '../../src/core/savedModel.ts';

/** `path`: of one file of safetensors, or of model.json, beside which weights.bin lies. @throws HushError `command/start`. */
export async function startFiles(path: string): Promise<readonly NamedBytes[]> {
  const paths = path.endsWith('.json') ? [path, join(dirname(path), 'weights.bin')] : [path];
  return Promise.all(
    paths.map(async (each) => ({
      name: basename(each),
      bytes: await readFile(each).catch((cause: unknown) => {
        throw new HushError('command/start', `"--start" needs "${each}", which cannot be read.`, { cause });
      }),
    })),
  );
}
