/** Images: files in folders by class, in zip archives, or named in a table of labels. */
import type { DataReport, PreviewExample } from '../core/dataReport.ts';
import type { ExpectedImages } from '../core/dataSchema.ts';
import { exampleWidth } from '../core/dataShape.ts';
import type { Examples, TrainingData } from '../core/dataset.ts';
import { asHushError, HushError } from '../core/errors.ts';
import { hasSign } from './fileKind.ts';
import { refusedFile } from './findings.ts';
import type { Findings } from './findings.ts';
import { GrowingRows } from './growing.ts';
import { isTooLarge, MAX_PIXELS, MAX_SIDE } from './imageDecoder.ts';
import type { ImageDecoder } from './imageDecoder.ts';
import { imageSize } from './imageHeader.ts';
import type { ImageSize } from './imageHeader.ts';
import { ImageLabels } from './imageLabels.ts';
import { imageValues } from './imageValues.ts';
import { Labels } from './labels.ts';
import type { KindReader } from './kindReader.ts';
import { bytesOf, isHidden } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { stratifiedSplit } from './split.ts';
import { unzip, ZIP_LIMITS } from './zip.ts';
import type { ZipLimits } from './zip.ts';

/** A side of one pixel is a mistake, unless the plan has such images. */
const MIN_SIDE = 2;

const MAX_FILE_BYTES = 64 * 1024 * 1024;

export class ImageReader implements KindReader {
  readonly #expected: ExpectedImages;
  readonly #findings: Findings;
  readonly #decoder: ImageDecoder;
  readonly #zipLimits: ZipLimits;
  readonly #images: GrowingRows<Uint8Array | Float32Array>;
  readonly #labels: Labels;
  readonly #labelling: ImageLabels;
  readonly #sources: { readonly file: string; readonly label: number }[] = [];
  #enlarged = 0;

  constructor(expected: ExpectedImages, findings: Findings, decoder: ImageDecoder, zipLimits = ZIP_LIMITS) {
    this.#expected = expected;
    this.#findings = findings;
    this.#decoder = decoder;
    this.#zipLimits = zipLimits;
    this.#images = new GrowingRows(
      (length) => (expected.normalise ? new Float32Array(length) : new Uint8Array(length)),
      exampleWidth(expected),
    );
    this.#labels = new Labels(expected.classes);
    this.#labelling = new ImageLabels(expected, findings);
  }

  get kept(): number {
    return this.#images.count;
  }

  /** Tables of labels first. */
  begin(files: readonly SourceFile[]): readonly SourceFile[] {
    return [...files.filter(isTable), ...files.filter((file) => !isTable(file))];
  }

  async read(file: SourceFile, reading: Reading): Promise<void> {
    if (isTable(file)) {
      await this.#labelling.read(file, reading);
      return;
    }
    const head = await bytesOf({ path: file.path, blob: file.blob.slice(0, 4) }, { signal: reading.signal });
    if (hasSign(head, 'PK\x03\x04') || /\.zip$/i.test(file.path)) await this.#readZip(file, reading);
    else await this.#readImage(file, reading);
  }

  classCounts(): DataReport['byClass'] {
    return this.#labels.counts();
  }

  warnings(): readonly string[] {
    const { width, height } = this.#expected;
    const enlarged = `Smaller than ${width} × ${height} pixels and enlarged: ${this.#enlarged} images.`;
    return [...this.#labelling.warnings(), ...(this.#enlarged > 0 ? [enlarged] : [])];
  }

  /** The first of each class, then the next of each. */
  preview(count: number): readonly PreviewExample[] {
    const turns = new Map<number, number>();
    const ordered = this.#sources.map(({ label }, example) => {
      const turn = turns.get(label) ?? 0;
      turns.set(label, turn + 1);
      return { example, turn };
    });
    ordered.sort((a, b) => a.turn - b.turn || a.example - b.example);
    return ordered.slice(0, count).map(({ example }) => {
      const { file = '', label = 0 } = this.#sources[example] ?? {};
      const target = this.#expected.classes[label] ?? '';
      return { file, row: null, source: [], inputs: this.#images.row(example), target };
    });
  }

  split(fraction: number, seed: number): TrainingData {
    const { training, validation } = stratifiedSplit(this.#labels.all(), fraction, seed);
    const pick = (rows: Uint32Array): Examples => ({
      count: rows.length,
      width: this.#images.width,
      inputs: this.#images.gather(rows),
      inputScale: this.#expected.normalise ? 1 : 1 / 255,
      labels: this.#labels.gather(rows),
    });
    return { training: pick(training), validation: pick(validation), test: pick(new Uint32Array()) };
  }

  /** Twice over: for tables of labels first, which may lie behind the images. */
  async #readZip(file: SourceFile, reading: Reading): Promise<void> {
    const within = (name: string, bytes: Uint8Array<ArrayBuffer>): SourceFile => ({
      path: `${file.path}/${name}`,
      blob: new Blob([bytes]),
    });
    const isTableName = (name: string): boolean => !isHidden(name) && TABLE_NAME.test(name);
    const isImageName = (name: string): boolean => !isHidden(name) && !TABLE_NAME.test(name);
    // What cannot be used is told of by the second time.
    const silent = { signal: reading.signal };
    try {
      for await (const { name, bytes } of unzip(file, isTableName, () => undefined, silent, this.#zipLimits)) {
        await this.#orRefuse(`${file.path}/${name}`, () => this.#labelling.read(within(name, bytes), silent));
      }
    } catch (thrown) {
      // A damaged archive is read as far as it goes, and refused the second time.
      if (!(thrown instanceof HushError) || thrown.code !== 'data/zip') throw thrown;
    }
    const refuse = (name: string, value: string, expected: string): void =>
      this.#findings.refuse({ file: `${file.path}/${name}`, row: null, column: null, value, expected });
    for await (const { name, bytes } of unzip(file, isImageName, refuse, reading, this.#zipLimits)) {
      await this.#orRefuse(`${file.path}/${name}`, () => this.#readImage(within(name, bytes), silent));
    }
  }

  async #readImage(file: SourceFile, reading: Reading): Promise<void> {
    this.#findings.rows++;
    const { path, blob } = file;
    const refuse = (value: string, expected: string): HushError =>
      refusedFile('data/image', { file: path, row: null, column: null, value, expected });
    const label = this.#labelling.labelOf(path);
    if (typeof label !== 'number') throw refuse(label.value, label.expected);
    if (blob.size === 0) throw refuse('an empty file', 'an image');
    if (blob.size > MAX_FILE_BYTES) throw refuse(`${blob.size} bytes`, `at most ${MAX_FILE_BYTES}`);
    const bytes = await bytesOf(file, reading);
    const size = imageSize(bytes);
    if (size) this.#checkSize(size, refuse);
    let pixels: Uint8ClampedArray;
    try {
      pixels = await this.#decoder.decode(new Blob([bytes]), this.#expected);
    } catch (cause) {
      const why = asHushError(cause, 'data/image').message;
      throw refuse(why, 'an image that this browser can decode');
    }
    this.#images.push(imageValues(pixels, this.#expected));
    this.#labels.push(label);
    this.#sources.push({ file: path, label });
    if (size && (size.width < this.#expected.width || size.height < this.#expected.height)) this.#enlarged++;
  }

  #checkSize(size: ImageSize, refuse: (value: string, expected: string) => HushError): void {
    const shown = `${size.width} × ${size.height} pixels`;
    if (isTooLarge(size)) throw refuse(shown, `at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all`);
    const { width, height } = this.#expected;
    if (size.width < Math.min(MIN_SIDE, width) || size.height < Math.min(MIN_SIDE, height)) {
      throw refuse(shown, `at least ${MIN_SIDE} a side`);
    }
  }

  async #orRefuse(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#findings.refuseThrown(thrown, path);
    }
  }
}

const TABLE_NAME = /\.(?:csv|tsv|parquet)$/i;

function isTable({ path }: SourceFile): boolean {
  return TABLE_NAME.test(path);
}
