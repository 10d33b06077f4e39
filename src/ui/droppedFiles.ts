/** The files that were dropped on the page, with those in dropped folders. */
import { sourceFile } from '../core/sourceFile.ts';
import type { SourceFile } from '../core/sourceFile.ts';

export async function droppedFiles(transfer: DataTransfer): Promise<readonly SourceFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry());
  const loose = [...transfer.files].map(sourceFile);
  if (entries.some((entry) => entry === null)) return loose;
  const found = await Promise.all(entries.flatMap((entry) => (entry ? [filesIn(entry)] : [])));
  return found.flat();
}

async function filesIn(entry: FileSystemEntry): Promise<readonly SourceFile[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ''), blob: file }];
  }
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
  const files: SourceFile[] = [];
  for (;;) {
    // A hundred at a time (File and Directory Entries API), until there are no more.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    for (const inner of some) files.push(...(await filesIn(inner)));
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
