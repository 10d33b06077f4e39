/** A person's files for one run: added, taken back, stopped, accepted, kept and forgotten. */
import { expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { DataReading } from '../../src/core/localWork.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { allKeptFiles } from '../../src/main/keptFiles.ts';
import { RunFiles } from '../../src/main/ownFiles.ts';
import { PrivateDataService } from '../../src/worker/privateDataService.ts';
import { MemoryStore } from '../support/memoryStore.ts';
import { gardenTable, ownPlanDocument } from '../support/ownPlan.ts';
import { fakeImages, file } from '../support/privateFiles.ts';

const BYTES = utf8(JSON.stringify(ownPlanDocument({ rounds: 1, people: 3 })));
const { plan } = parsePlan(BYTES);
const planHash = hashOf(BYTES);

const EAST = file('garden/east.csv', gardenTable(1, 8));
const WEST = file('garden/west.csv', gardenTable(2, 12));

function opened(store = new MemoryStore(), whileReading: (stop: () => void) => void = () => undefined) {
  const service = new PrivateDataService(fakeImages, () => undefined);
  const stopReading = (): void => service.stop();
  const reading: DataReading = {
    readData: async (order) => {
      const report = service.read(order);
      whileReading(stopReading);
      return await report;
    },
    stopReading,
  };
  let accepted = 0;
  const files = new RunFiles({ plan, planHash, reading, store, onAccepted: () => accepted++ });
  return { files, service, store, accepted: () => accepted };
}

it('adds, and takes back what was added together', async () => {
  const { files, service } = opened();
  expect(files.view()).toMatchObject({ added: [], report: undefined, accepted: false });
  await files.add([EAST]);
  await files.add([WEST, EAST]);
  expect(files.view().added).toMatchObject([
    { name: 'garden/east.csv', files: 1 },
    { name: 'garden', files: 2, bytes: WEST.blob.size + EAST.blob.size },
  ]);
  expect(files.view().report).toMatchObject({ files: 3, kept: 28 });
  await files.remove(files.view().added[0]!.id);
  expect(files.view().report).toMatchObject({ files: 2, kept: 20 });
  const { training, validation } = service.load(plan);
  expect([training.count, validation.count]).toEqual([15, 5]);
  await files.remove(files.view().added[0]!.id);
  expect(files.view()).toMatchObject({ added: [], report: undefined });
  expect(() => service.load(plan)).toThrow('Nothing that was read can be trained on');
});

it('keeps what was read before when a reading is stopped', async () => {
  let stopAfter = 2;
  const { files } = opened(undefined, (stop) => {
    if (--stopAfter === 0) stop();
  });
  await files.add([EAST]);
  await files.add([WEST]);
  expect(files.view()).toMatchObject({ reading: undefined, problem: undefined, report: { files: 1, kept: 8 } });
  expect(files.view().added.map(({ name }) => name)).toEqual(['garden/east.csv']);
  await files.add([WEST]);
  expect(files.view().report).toMatchObject({ files: 2, kept: 20 });
});

it('tells of refused rows, and trains on nothing before it is told to', async () => {
  const { files, accepted } = opened();
  await files.accept(false);
  await files.add([file('bad.csv', 'petal,sepal,kind\n1,2,rose\nlong,5,rose\n1,2,tulip\n')]);
  expect(files.view().report?.refused.first).toMatchObject([
    { file: 'bad.csv', row: 3, column: 'petal', value: '"long"' },
    { file: 'bad.csv', row: 4, column: 'kind', value: '"tulip"' },
  ]);
  expect(accepted()).toBe(0);
  await files.accept(false);
  await files.accept(false);
  expect(accepted()).toBe(1);
  await files.add([EAST]);
  expect(files.view().report?.kept).toBe(1);
});

it('keeps files in the browser only when asked, and finds and forgets them', async () => {
  const first = opened();
  await first.files.add([EAST]);
  await first.files.accept(false);
  expect(await first.store.keys('')).toEqual([]);

  const second = opened(first.store);
  await second.files.restore();
  expect(second.files.view()).toMatchObject({ added: [], kept: false });
  await second.files.add([WEST]);
  await second.files.accept(true);
  expect(await allKeptFiles(second.store)).toEqual([
    { planHash, planName: plan.name, files: 1, bytes: WEST.blob.size },
  ]);

  const third = opened(first.store);
  await third.files.restore();
  expect(third.files.view()).toMatchObject({ kept: true, accepted: false, report: { kept: 12 } });
  await third.files.forget();
  expect(third.files.view()).toMatchObject({ kept: false, report: { kept: 12 } });
  expect(await first.store.keys('')).toEqual([]);
});

it('takes part although the browser has no room to keep them', async () => {
  const { files, store, accepted } = opened();
  store.failing = true;
  await files.add([EAST]);
  await files.accept(true);
  expect(accepted()).toBe(1);
  expect(files.view()).toMatchObject({ accepted: true, kept: false, problem: { code: 'store/full' } });
});
