/**
 * Byte pair encoding over a given list of merges (Sennrich, Haddow and Birch 2016, section 3.2; over bytes as Radford et
 * al. 2019, section 2.2, have it). Token b < 256 is that byte, token 256 + i what merge i makes.
 */
import { concatBytes, utf8 } from './bytes.ts';
import { HushError } from './errors.ts';

export const BYTE_TOKENS = 256;

export const MAX_MERGES = 60_000;

/** Words, each with the space before it, figures, signs and runs of space: no merge goes across (Radford et al. 2019). */
const PIECES = /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Pieces come again and again; of those already encoded so many are kept. */
const MAX_KEPT_PIECES = 20_000;

export class BytePairs {
  /** Two tokens, as left · 2^20 + right, to the one that they make: the lower, the earlier in the list. */
  readonly #merged: ReadonlyMap<number, number>;
  readonly #bytes: readonly Uint8Array[];
  readonly #kept = new Map<string, readonly number[]>();

  private constructor(merged: ReadonlyMap<number, number>, bytes: readonly Uint8Array[]) {
    this.#merged = merged;
    this.#bytes = bytes;
  }

  /** `merges` as in GPT-2's merges.txt. @throws HushError `plan/invalid` when one names what no earlier one makes. */
  static of(merges: readonly string[]): BytePairs {
    const tokens = new Map(LETTERS.map((letter, byte) => [letter, byte]));
    const bytes: Uint8Array[] = LETTERS.map((_, byte) => Uint8Array.of(byte));
    const merged = new Map<number, number>();
    merges.forEach((merge, i) => {
      const [left = '', right = '', ...more] = merge.split(' ');
      const [a, b] = [tokens.get(left), tokens.get(right)];
      if (a === undefined || b === undefined || more.length > 0 || tokens.has(left + right)) {
        throw new HushError(
          'plan/invalid',
          `Data: "tokens.merges.${i}" is ${JSON.stringify(merge)}, expected two tokens that are there before it, with one space between, and that make a new one.`,
        );
      }
      const token = BYTE_TOKENS + i;
      tokens.set(left + right, token);
      merged.set(pairOf(a, b), token);
      bytes.push(concatBytes(bytes[a] ?? EMPTY, bytes[b] ?? EMPTY));
    });
    return new BytePairs(merged, bytes);
  }

  encode(text: string): number[] {
    const tokens: number[] = [];
    for (const [piece] of text.matchAll(PIECES)) for (const token of this.#encodePiece(piece)) tokens.push(token);
    return tokens;
  }

  /** What is not UTF-8, a token that ends amid a letter, becomes U+FFFD. */
  decode(tokens: Iterable<number>): string {
    const parts = Array.from(tokens, (token) => this.#bytes[token] ?? EMPTY);
    return new TextDecoder().decode(concatBytes(...parts));
  }

  /** Merges the pair that comes earliest in the list, wherever it stands, until none is left. */
  #encodePiece(piece: string): readonly number[] {
    const known = this.#kept.get(piece);
    if (known) return known;
    let tokens = Array.from(utf8(piece));
    for (;;) {
      const best = this.#earliest(tokens);
      if (best === undefined) break;
      tokens = this.#merge(tokens, best);
    }
    if (this.#kept.size < MAX_KEPT_PIECES) this.#kept.set(piece, tokens);
    return tokens;
  }

  #earliest(tokens: readonly number[]): number | undefined {
    let best: number | undefined;
    for (let i = 1; i < tokens.length; i++) {
      const made = this.#merged.get(pairOf(tokens[i - 1] ?? 0, tokens[i] ?? 0));
      if (made !== undefined && (best === undefined || made < best)) best = made;
    }
    return best;
  }

  #merge(tokens: readonly number[], wanted: number): number[] {
    const merged: number[] = [];
    for (let i = 0; i < tokens.length; i++) {
      const [token = 0, next] = [tokens[i], tokens[i + 1]];
      const fits = next !== undefined && this.#merged.get(pairOf(token, next)) === wanted;
      merged.push(fits ? wanted : token);
      if (fits) i++;
    }
    return merged;
  }
}

const EMPTY = new Uint8Array();

function pairOf(left: number, right: number): number {
  return left * 2 ** 20 + right;
}

/**
 * The letter that stands for each byte in a list of merges: printable ones for themselves, the others U+0100 and on, in
 * order (`bytes_to_unicode` of GPT-2's encoder.py).
 */
const LETTERS: readonly string[] = lettersOfBytes();

function lettersOfBytes(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : next++);
  });
}
