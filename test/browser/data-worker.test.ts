/** A person's files are read in a worker: a File crosses to it without being copied. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DataReport } from '../../src/core/dataReport.ts';
import type { TrainingData } from '../../src/core/dataset.ts';
import { deferred } from '../../src/core/async.ts';
import type { ReadingOrder } from './reading.worker.ts';

interface Answer {
  readonly ended: string;
  readonly report: DataReport;
  readonly data: TrainingData;
}

let worker: Worker;
beforeEach(() => {
  worker = new Worker(new URL('./reading.worker.ts', import.meta.url), { type: 'module' });
});
afterEach(() => {
  worker.terminate();
});

function ask(order: ReadingOrder): Promise<Answer> {
  const answer = deferred<Answer>();
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => answer.resolve(data), { once: true });
  worker.addEventListener('error', ({ message }) => answer.reject(new Error(message)), { once: true });
  worker.postMessage(order, []);
  return answer.promise;
}

const TABLE = {
  kind: 'table',
  columns: [{ name: 'x', type: 'number' }],
  target: { name: 'y', kind: 'class', classes: ['a', 'b'] },
};

it('reads tables and images there', async () => {
  const table = await ask({
    expected: TABLE,
    files: [{ path: 'a.csv', blob: new File(['x,y\n1,a\n2,a\n3,b\n4,b\n'], 'a.csv') }],
  });
  expect(table).toMatchObject({ ended: 'read', report: { kept: 4, refused: { count: 0 } } });
  expect(table.data.training.count + table.data.validation.count).toBe(4);

  const canvas = new OffscreenCanvas(8, 8);
  canvas.getContext('2d')!.fillRect(0, 0, 8, 8);
  const blob = await canvas.convertToBlob();
  const expected = { kind: 'images', height: 2, width: 2, channels: 1, fit: 'stretch', classes: ['k'] };
  const images = await ask({ expected, files: [{ path: 'k/1.png', blob }] });
  expect(images).toMatchObject({ ended: 'read', report: { kept: 1 } });
  expect([...images.data.training.inputs]).toEqual([0, 0, 0, 0]);
});

it('stops a long file midway, with the rows before', async () => {
  const rows = '1,a\n2,b\n'.repeat(1_000_000);
  const { ended, report } = await ask({
    expected: TABLE,
    files: [{ path: 'a.csv', blob: new Blob(['x,y\n', rows]) }],
    stopAt: 3_000_000,
  });
  expect(ended).toMatch(/Reading was stopped/);
  expect(report.kept).toBeGreaterThan(100_000);
  expect(report.kept).toBeLessThan(2_000_000);
});
