/** Text of a file whose encoding nobody told: UTF-8, UTF-16 of either order, or Windows-1252. */
import { chunksOf } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { fileKind } from './fileKind.ts';
import { refusedFile } from './findings.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

const HEAD_BYTES = 4096;

/**
 * Pieces of the text, none of them empty, without a byte order mark and with "\n" at the end of each line.
 * @throws HushError `data/empty`, `data/not-text`, `data/aborted`, `data/unreadable`.
 */
export async function* textOf(
  file: SourceFile,
  reading: Reading,
  warn: (text: string) => void,
): AsyncGenerator<string, void> {
  const { path: name, blob } = file;
  const whole = { file: name, row: null, column: null };
  if (blob.size === 0) {
    throw refusedFile('data/empty', { ...whole, value: 'an empty file', expected: 'a file with text' });
  }
  let decoder: Decoder | undefined;
  let lineEnd = '';
  let bytes = 0;
  for await (const chunk of chunksOf(file, reading)) {
    decoder ??= decoderFor(chunk, name);
    bytes += chunk.length;
    const last = bytes >= blob.size;
    const decoded = lineEnd + decoder.decode(chunk, last);
    if (decoded.includes('\0')) {
      const value = `a zero byte within ${bytes} bytes from its start`;
      throw refusedFile('data/not-text', { ...whole, value, expected: 'text' });
    }
    // A "\r" at the very end may be the first half of a line end.
    lineEnd = !last && decoded.endsWith('\r') ? '\r' : '';
    const text = (lineEnd ? decoded.slice(0, -1) : decoded).replaceAll(/\r\n?/g, '\n');
    if (text) yield text;
  }
  if (decoder?.damaged) warn(`${name}: some bytes are no UTF-8, though others are; each was read as "\uFFFD".`);
}

interface Decoder {
  decode(chunk: Uint8Array, last: boolean): string;
  readonly damaged: boolean;
}

function decoderFor(head: Uint8Array, file: string): Decoder {
  const refuse = (value: string): Error =>
    refusedFile(
      'data/not-text',
      { file, row: null, column: null, value, expected: 'text' },
      'Save it as text or CSV, in UTF-8.',
    );
  const kind = fileKind(head);
  if (kind) throw refuse(kind);
  const encoding = encodingOf(head);
  if (encoding === 'utf-8') {
    if (looksBinary(head)) throw refuse('bytes that no text has');
    return new Utf8OrWindows();
  }
  const decoder = new TextDecoder(encoding);
  return { decode: (chunk, last) => decoder.decode(chunk, { stream: !last }), damaged: false };
}

/** By its byte order mark, or by where the zero bytes lie; what may be UTF-8 is called so. */
export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const looked = Math.min(head.length, HEAD_BYTES) & ~1;
  for (let i = 0; i < looked; i++) if (head[i] === 0) zeros[i & 1] = (zeros[i & 1] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const most = looked * 0.15;
  if (odd > most && even < odd / 10) return 'utf-16le';
  if (even > most && odd < even / 10) return 'utf-16be';
  return 'utf-8';
}

/** More than one byte in a hundred is a control character that text does not have. */
function looksBinary(head: Uint8Array): boolean {
  const looked = head.subarray(0, HEAD_BYTES);
  const strange = looked.reduce((sum, byte) => sum + (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) ? 1 : 0), 0);
  return strange > looked.length / 100;
}

/**
 * UTF-8 as long as every byte fits. When the first that is not ASCII does not, the text is Windows-1252; when a later one
 * does not, the file is damaged, and U+FFFD stands for what is wrong.
 */
class Utf8OrWindows implements Decoder {
  damaged = false;
  #known: TextDecoder | undefined;
  #sure = false;
  #rest = new Uint8Array();

  decode(chunk: Uint8Array, last: boolean): string {
    if (this.#known) return this.#known.decode(chunk, { stream: !last });
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const whole = last ? bytes.length : bytes.length - unfinished(bytes);
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: this.#sure }).decode(bytes.subarray(0, whole));
      this.#rest = bytes.slice(whole);
      this.#sure ||= text.length !== whole;
      return text;
    } catch {
      this.damaged = this.#sure;
      this.#known = new TextDecoder(this.#sure ? 'utf-8' : 'windows-1252', { ignoreBOM: true });
      return this.#known.decode(bytes, { stream: !last });
    }
  }
}

/** Bytes at the end, 0 to 3, that begin a character of UTF-8 and do not end it. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes.at(-back) ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
