/** The one place through which fflate enters: the files of a zip archive, one after the other, within limits. */
import { Unzip, UnzipInflate, UnzipPassThrough } from 'fflate';
import type { UnzipDecoder, UnzipFile } from 'fflate';
import { concatBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { asHushError } from '../core/errors.ts';
import { hasSign } from './fileKind.ts';
import { refusedFile } from './findings.ts';
import { bytesOf, chunksOf } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Bytes;
}

export interface ZipLimits {
  readonly entries: number;
  /** Unpacked, of one entry; a larger one is refused. */
  readonly entryBytes: number;
  /** Unpacked, of all; the archive is read no further. */
  readonly totalBytes: number;
  /** Bytes unpacked for each byte read, once `ratioFromBytes` are unpacked. */
  readonly ratio: number;
  readonly ratioFromBytes: number;
}

const MIB = 1024 * 1024;

export const ZIP_LIMITS: ZipLimits = {
  entries: 500_000,
  entryBytes: 64 * MIB,
  totalBytes: 16 * 1024 * MIB,
  ratio: 100,
  ratioFromBytes: 16 * MIB,
};

/** Deflate unpacks to 1032 times as much at most: so little at once keeps that within memory. */
const PUSH_BYTES = 16 * 1024;

const METHODS: ReadonlyMap<number, new () => UnzipDecoder> = new Map([
  [0, UnzipPassThrough],
  [8, UnzipInflate],
]);

export type RefuseEntry = (name: string, value: string, expected: string) => void;

/**
 * Files for which `wanted`, unpacked whole; folders are passed over. An entry that cannot be used is told to `refuse`.
 * @throws HushError `data/zip`, `data/zip-bomb`, `data/aborted`, `data/unreadable`.
 */
export async function* unzip(
  file: SourceFile,
  wanted: (name: string) => boolean,
  refuse: RefuseEntry,
  reading: Reading,
  limits: ZipLimits = ZIP_LIMITS,
): AsyncGenerator<ZipEntry, void> {
  const whole = { file: file.path, row: null, column: null };
  const damaged = (value: string): Error =>
    refusedFile('data/zip', { ...whole, value, expected: 'a whole zip archive' });
  const opened = new OpenZip(wanted, refuse, limits);
  let packed = 0;
  const push = (bytes: Uint8Array, last: boolean): void => {
    try {
      opened.push(bytes, last);
    } catch (cause) {
      throw damaged(asHushError(cause, 'data/zip').message);
    }
    packed += bytes.length;
    const { entries, unpacked } = opened;
    const over = (value: string, expected: string): Error =>
      refusedFile('data/zip-bomb', { ...whole, value, expected }, 'What came before is kept.');
    if (entries > limits.entries) throw over(`more than ${limits.entries} entries`, `at most ${limits.entries}`);
    if (unpacked > limits.totalBytes) {
      throw over(`more than ${limits.totalBytes} bytes unpacked`, `at most ${limits.totalBytes}`);
    }
    if (unpacked > limits.ratioFromBytes && unpacked > limits.ratio * packed) {
      throw over(`${unpacked} bytes from ${packed}`, `at most ${limits.ratio} times as many as are packed`);
    }
  };
  for await (const chunk of chunksOf(file, reading)) {
    if (packed === 0 && !hasSign(chunk, 'PK')) throw damaged('a file that does not begin as one');
    for (let at = 0; at < chunk.length; at += PUSH_BYTES) {
      push(chunk.subarray(at, at + PUSH_BYTES), false);
      yield* opened.takeReady();
    }
  }
  if (packed === 0) throw damaged('an empty file');
  push(new Uint8Array(), true);
  yield* opened.takeReady();
  if (!(await hasEnd(file, reading))) throw damaged('an archive that is cut short');
}

/** The end record of the directory, behind which there is a comment of 65,535 bytes at most (APPNOTE 4.3.16). */
async function hasEnd({ path, blob }: SourceFile, { signal }: Reading): Promise<boolean> {
  const tail = await bytesOf({ path, blob: blob.slice(Math.max(0, blob.size - 65_557)) }, { signal });
  for (let at = tail.length - 22; at >= 0; at--) if (hasSign(tail, 'PK\x05\x06', at)) return true;
  return false;
}

/** Counts and collects what comes out of fflate's stream. */
class OpenZip {
  entries = 0;
  unpacked = 0;
  readonly #unzip: Unzip;
  readonly #limits: ZipLimits;
  readonly #refuse: RefuseEntry;
  #ready: ZipEntry[] = [];

  constructor(wanted: (name: string) => boolean, refuse: RefuseEntry, limits: ZipLimits) {
    this.#limits = limits;
    this.#refuse = refuse;
    this.#unzip = new Unzip((entry) => {
      this.entries++;
      const name = nameOf(entry.name);
      const isFolder = name.endsWith('/');
      const strange = isFolder ? undefined : strangeness(name, entry.compression);
      if (strange) refuse(name, ...strange);
      const taken = !isFolder && !strange && wanted(name);
      // What is not started fflate keeps in memory to the end: it is started too, and goes nowhere.
      this.#unzip.register(decoderOf(entry.compression, taken));
      if (taken) this.#collect(entry, name);
      else entry.ondata = () => undefined;
      entry.start();
    });
  }

  push(bytes: Uint8Array, last: boolean): void {
    this.#unzip.push(bytes, last);
  }

  takeReady(): ZipEntry[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #collect(entry: UnzipFile, name: string): void {
    let parts: Uint8Array[] = [];
    let length = 0;
    let isRefused = false;
    const giveUp = (value: string, expected: string): void => {
      if (!isRefused) this.#refuse(name, value, expected);
      isRefused = true;
      parts = [];
    };
    entry.ondata = (error, data, final) => {
      if (error) {
        giveUp(error.message, 'an entry that can be unpacked');
        return;
      }
      this.unpacked += data.length;
      length += data.length;
      if (length > this.#limits.entryBytes) {
        giveUp(`more than ${this.#limits.entryBytes} bytes unpacked`, `at most ${this.#limits.entryBytes}`);
      }
      if (isRefused) return;
      parts.push(data);
      if (!final) return;
      const bytes = concatBytes(...parts);
      if (hasSign(bytes, 'PK\x03\x04')) giveUp('an archive in the archive', 'images and tables alone');
      else this.#ready.push({ name, bytes });
    };
  }
}

/** fflate asks for a decoder when an entry is started: it is registered anew for each. */
function decoderOf(compression: number, taken: boolean): { new (): UnzipDecoder; compression: number } {
  const Method = taken ? METHODS.get(compression) : undefined;
  return class implements UnzipDecoder {
    static compression = compression;
    readonly #inner = Method && new Method();
    ondata: UnzipDecoder['ondata'] = () => undefined;

    push(chunk: Uint8Array, final: boolean): void {
      if (!this.#inner) return;
      this.#inner.ondata = this.ondata;
      this.#inner.push(chunk, final);
    }
  };
}

/** What is wrong with an entry before it is unpacked, and what was expected. */
function strangeness(name: string, compression: number): [value: string, expected: string] | undefined {
  const parts = name.split('/');
  if (parts.includes('..')) return ['a name with ".."', 'a name within the archive'];
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return ['an absolute name', 'a name within the archive'];
  if (/\.(?:zip|jar|7z|rar|gz|tgz|tar|xz|bz2)$/i.test(name)) {
    return ['an archive in the archive', 'images and tables alone'];
  }
  if (METHODS.has(compression)) return undefined;
  return [`compression method ${compression}`, 'stored (0) or deflated (8)'];
}

/** Names that are not flagged as UTF-8 come as Latin letters, a byte each; many archives do not flag theirs. */
function nameOf(given: string): string {
  const name = given.replaceAll('\\', '/');
  const codes = Array.from(name, (letter) => letter.codePointAt(0) ?? 0);
  if (codes.every((code) => code < 128) || codes.some((code) => code > 255)) return name;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(codes));
  } catch {
    return name;
  }
}
