/** Writes a file that others may be reading. */
import { rename, writeFile } from 'node:fs/promises';

/** Through a file beside it, so that nobody who reads meanwhile sees half of it. */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, content);
  await rename(beside, path);
}
