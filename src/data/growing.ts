/** Numbers that grow without being copied: typed arrays of some megabytes, one after the other. */

export type Values = Uint8Array | Int32Array | Float32Array;

const CHUNK_VALUES = 1024 * 1024;

export class GrowingValues<Kind extends Values> {
  readonly #make: (length: number) => Kind;
  readonly #chunks: Kind[] = [];
  #length = 0;

  constructor(make: (length: number) => Kind) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const place = this.#length % CHUNK_VALUES;
    if (place === 0) this.#chunks.push(this.#make(CHUNK_VALUES));
    const chunk = this.#chunks[this.#chunks.length - 1];
    if (chunk) chunk[place] = value;
    this.#length++;
  }

  append(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.push(values[i] ?? 0);
  }

  /** A copy. @throws RangeError when there are not so many. */
  slice(start: number, length: number): Kind {
    const copy = this.#make(length);
    this.#copyTo(copy, 0, start, length);
    return copy;
  }

  /** Pieces of `length` values that begin at `starts`, beside each other. */
  gather(starts: Uint32Array | Float64Array, length: number): Kind {
    const gathered = this.#make(starts.length * length);
    for (let i = 0; i < starts.length; i++) this.#copyTo(gathered, i * length, starts[i] ?? 0, length);
    return gathered;
  }

  #copyTo(target: Kind, at: number, start: number, length: number): void {
    if (start < 0 || start + length > this.#length) {
      throw new RangeError(`values ${start} to ${start + length} were asked for, there are ${this.#length}`);
    }
    for (let done = 0; done < length;) {
      const place = (start + done) % CHUNK_VALUES;
      const run = Math.min(length - done, CHUNK_VALUES - place);
      const chunk = this.#chunks[Math.floor((start + done) / CHUNK_VALUES)];
      if (chunk) target.set(chunk.subarray(place, place + run), at + done);
      done += run;
    }
  }
}

/** Rows of `width` values each. */
export class GrowingRows<Kind extends Values> {
  readonly width: number;
  readonly #values: GrowingValues<Kind>;

  constructor(make: (length: number) => Kind, width: number) {
    this.width = width;
    this.#values = new GrowingValues(make);
  }

  get count(): number {
    return this.#values.length / this.width;
  }

  /** @throws RangeError when the row has another width. */
  push(row: ArrayLike<number>): void {
    if (row.length !== this.width) throw new RangeError(`a row has ${row.length} values, expected ${this.width}`);
    this.#values.append(row);
  }

  /** A copy. */
  row(index: number): Kind {
    return this.#values.slice(index * this.width, this.width);
  }

  /** The rows, in this order, beside each other. */
  gather(rows: Uint32Array): Kind {
    return this.#values.gather(
      Float64Array.from(rows, (row) => row * this.width),
      this.width,
    );
  }
}
