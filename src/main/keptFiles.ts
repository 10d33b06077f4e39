/** Files that a person asked this browser to keep: by plan, so that whoever takes part in it again finds them. */
import type { KeptFiles } from '../core/application.ts';
import type { Hash } from '../core/ids.ts';
import type { Store } from '../core/ports.ts';
import type { SourceFile } from '../core/sourceFile.ts';

const PREFIX = 'files/';

/** Each list was added at once. */
export interface KeptTurns {
  readonly planName: string;
  readonly turns: readonly (readonly SourceFile[])[];
}

export function keepFiles(store: Store, planHash: Hash, kept: KeptTurns): Promise<void> {
  return store.set(PREFIX + planHash, kept);
}

export function filesKeptFor(store: Store, planHash: Hash): Promise<KeptTurns | undefined> {
  return store.get<KeptTurns>(PREFIX + planHash);
}

export function forgetFiles(store: Store, planHash: Hash): Promise<void> {
  return store.delete(PREFIX + planHash);
}

export async function allKeptFiles(store: Store): Promise<readonly KeptFiles[]> {
  const found: KeptFiles[] = [];
  for (const key of await store.keys(PREFIX)) {
    const kept = await store.get<KeptTurns>(key);
    if (kept === undefined) continue;
    const files = kept.turns.flat();
    const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
    found.push({ planHash: key.slice(PREFIX.length) as Hash, planName: kept.planName, files: files.length, bytes });
  }
  return found;
}
