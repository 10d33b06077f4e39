/** A file that a person chose; what is in it is read where it is needed. */
export interface SourceFile {
  /** With the folders in which it lies, as far as they are known. */
  readonly path: string;
  readonly blob: Blob;
}

export function sourceFile(file: File): SourceFile {
  return { path: file.webkitRelativePath || file.name, blob: file };
}
