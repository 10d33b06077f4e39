/** A public data set of images in two IDX files, fetched from this server and checked against the plan's digest. */
import { concatBytes } from '../core/bytes.ts';
import type { Examples } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import { checkDigest } from './digest.ts';
import { fetchUnpacked } from './gunzip.ts';
import type { FetchFile } from './gunzip.ts';
import { parseIdxImages, parseIdxLabels } from './idx.ts';
import type { Pool } from './pool.ts';
import type { IdxDataset } from './registry.ts';

const GREY_LEVELS = 255;

/** @throws HushError `data/…`: unreachable, damaged, too-large, digest, idx. */
export async function fetchIdx(dataset: IdxDataset, sha256: string, fetchFile: FetchFile): Promise<Pool> {
  const fetched = (file: string) => fetchUnpacked(`/data/${file}`, dataset.maxFileBytes, fetchFile);
  const [images, labelBytes] = await Promise.all([fetched(dataset.imagesFile), fetched(dataset.labelsFile)]);
  await checkDigest(concatBytes(images, labelBytes), sha256, `The data set "${dataset.name}" of this server`);
  const { count, width, pixels } = parseIdxImages(images, `/data/${dataset.imagesFile}`);
  const labels = parseIdxLabels(labelBytes, `/data/${dataset.labelsFile}`);
  const wrong = (what: string, got: number, expected: string): HushError =>
    new HushError('data/idx', `/data/${dataset.labelsFile}: ${what} is ${got}, expected ${expected}.`);
  if (labels.length !== count || count <= dataset.testCount) {
    const expected = `that of the images, ${count}, and more than ${dataset.testCount}`;
    throw wrong('the number of labels', labels.length, expected);
  }
  const largest = labels.reduce((most, label) => Math.max(most, label), 0);
  if (largest >= dataset.classes) throw wrong('the largest label', largest, `less than ${dataset.classes}`);
  if (width !== dataset.inputs) throw wrong('the width of an image', width, `${dataset.inputs} values`);
  const trained = count - dataset.testCount;
  const part = (from: number, to: number): Examples => ({
    count: to - from,
    width,
    inputs: pixels.subarray(from * width, to * width),
    inputScale: 1 / GREY_LEVELS,
    labels: labels.subarray(from, to),
  });
  return { training: part(0, trained), test: part(trained, count) };
}
