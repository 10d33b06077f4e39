import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ShardAssignment } from '../../src/core/dataset.ts';
import type { Plan } from '../../src/core/plan.ts';
import { fetchUnpacked } from '../../src/data/gunzip.ts';
import { parseIdxLabels } from '../../src/data/idx.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';
import { DIGITS } from '../../src/data/registry.ts';
import { buildDigits, DIGITS_SHA256, digitsDigest } from '../../tools/build-digits.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';

const DIRECTORY = '.cache/data';
const SHARDS = 4;

/** What the server does. */
const served = async (path: string): Promise<Response> =>
  new Response(new Uint8Array(await readFile(`${DIRECTORY}/${path.replace('/data/', '')}`)));

function assignment(index: number): ShardAssignment {
  return { index, count: SHARDS, split: { kind: 'iid' }, seed: 1 };
}

beforeAll(async () => {
  await buildDigits(DIRECTORY);
});

describe('the digits', () => {
  it('are built into files with the digest that plans pin', async () => {
    const images = gunzipSync(await readFile(`${DIRECTORY}/${DIGITS.imagesFile}`));
    const labels = gunzipSync(await readFile(`${DIRECTORY}/${DIGITS.labelsFile}`));
    expect(digitsDigest(images, labels)).toBe(DIGITS_SHA256);
    const test = parseIdxLabels(labels, 'labels').subarray(-DIGITS.testCount);
    const counts = new Map<number, number>();
    for (const label of test) counts.set(label, (counts.get(label) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 200));
  });

  it('reach every participant once, with the test part held out', async () => {
    const parts = await Promise.all(
      Array.from({ length: SHARDS }, (_, index) =>
        new PublicDataSource(digitsPlan(), assignment(index), served).load(),
      ),
    );
    const sizes = parts.map(({ training, validation, test }) => [training.count, validation.count, test.count]);
    expect(sizes).toEqual(Array.from({ length: SHARDS }, () => [1800, 200, 500]));
    const first = parts[0]!.training;
    expect(first).toMatchObject({ width: 784, inputScale: 1 / 255 });
    expect(first.inputs).toHaveLength(1800 * 784);
    expect(Math.max(...first.inputs.subarray(0, 784))).toBeGreaterThan(200);
    // Pictures of two shards, compared by content: a leak from one part to another would show here.
    const seen = new Set<string>();
    let twins = 0;
    for (const { training, validation, test } of parts) {
      for (const { count, width, inputs } of [training, validation, test]) {
        for (let row = 0; row < count; row++) {
          const content = inputs.subarray(row * width, (row + 1) * width).join();
          if (seen.has(content)) twins++;
          seen.add(content);
        }
      }
    }
    expect(seen.size + twins).toBe(10_000);
    expect(twins).toBeLessThan(5);
  });

  it.each<[string, Plan, string, RegExp]>([
    ['an unknown name', digitsPlan({ name: 'letters' }), 'data/unknown', /"letters", expected one of "digits"/],
    [
      'another digest',
      digitsPlan({ sha256: '0'.repeat(64) }),
      'data/digest',
      new RegExp(`${DIGITS_SHA256}, expected 0000`),
    ],
  ])('are refused with %s', async (_, plan, code, message) => {
    const loading = new PublicDataSource(plan, assignment(0), served).load();
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('are refused for a model of another width', async () => {
    const plan = digitsPlan();
    const narrow: Plan = {
      ...plan,
      model: { architecture: 'mlp', inputs: 100, hidden: [16], outputs: 10, activation: 'relu' },
    };
    await expect(new PublicDataSource(narrow, assignment(0), served).load()).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringContaining('"model.inputs" is 100, expected 784'),
    });
    const small: Plan = { ...plan, model: { architecture: 'lenet', height: 14, width: 28, channels: 1, outputs: 10 } };
    await expect(new PublicDataSource(small, assignment(0), served).load()).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringContaining('"model.height, width and channels" is 392, expected 784'),
    });
  });

  it('are refused for a shard that does not exist', async () => {
    await expect(new PublicDataSource(digitsPlan(), assignment(SHARDS), served).load()).rejects.toMatchObject({
      code: 'data/shards',
    });
  });
});

describe('fetching a file', () => {
  const content = new Uint8Array(1000).fill(3);
  const answer =
    (body: Uint8Array<ArrayBuffer> | null, status = 200) =>
    () =>
      Promise.resolve(new Response(body, { status }));

  it('unpacks gzip, and takes what the browser has unpacked already', async () => {
    expect(await fetchUnpacked('/data/a.gz', 1000, answer(new Uint8Array(gzipSync(content))))).toEqual(content);
    expect(await fetchUnpacked('/data/a.gz', 1000, answer(content))).toEqual(content);
  });

  it.each([
    ['a missing file', answer(null, 404), 'data/unreachable', /404/],
    ['no connection', () => Promise.reject(new TypeError('Failed to fetch')), 'data/unreachable', /Failed to fetch/],
    ['a bomb', answer(new Uint8Array(gzipSync(new Uint8Array(1e6)))), 'data/too-large', /more than 1000 bytes/],
    ['half a file', answer(new Uint8Array(gzipSync(content).subarray(0, 15))), 'data/damaged', /could not be unpacked/],
  ])('names %s', async (_, fetchFile, code, message) => {
    await expect(fetchUnpacked('/data/a.gz', 1000, fetchFile)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
