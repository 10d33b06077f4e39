/** A person's own files in the real training worker and in this browser's own storage. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { ReadProgress } from '../../src/core/dataReport.ts';
import type { DataReading, Trainer, TrainOrder } from '../../src/core/localWork.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { sourceFile } from '../../src/core/sourceFile.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { RunFiles } from '../../src/main/ownFiles.ts';
import { createStore } from '../../src/platform/store.ts';
import { createTrainerHost } from '../../src/platform/trainerHost.ts';
import { initialise } from '../../src/update/initialise.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';
import { gardenTable, ownPlanDocument } from '../support/ownPlan.ts';

const BYTES = utf8(JSON.stringify(ownPlanDocument({ rounds: 1, people: 3 })));
const { plan } = parsePlan(BYTES);
const TASK = { plan, shard: undefined, forceEngine: 'cpu' } as const;

function garden(number: number, rows: number): SourceFile {
  return sourceFile(new File([gardenTable(number, rows)], `${number}.csv`));
}

function order(round: number): TrainOrder {
  return { round, kind: 'train', seed: SeededRandom.of(round).bytes(32) };
}

/** Every training worker that is started meanwhile. */
const workers: Worker[] = [];
const Original = globalThis.Worker;
let trainer: Trainer & DataReading;

beforeEach(() => {
  workers.length = 0;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.push(this);
    }
  };
  trainer = createTrainerHost();
});

afterEach(() => {
  trainer.close();
  globalThis.Worker = Original;
});

/** comlink reads the type of every argument; of null it cannot, and nobody catches that. */
async function crash(): Promise<void> {
  const failed = new Promise<unknown>((resolve) => trainer.onFailure(resolve));
  workers.at(-1)?.postMessage({ id: 'x', type: 'APPLY', path: ['open'], argumentList: [null] });
  await failed;
}

async function samplesTrained(round: number): Promise<number> {
  await trainer.chooseEngine();
  await trainer.load(initialise(plan.model, plan.seed));
  return (await trainer.train(order(round))).figures.training.samples;
}

describe('the training worker', () => {
  it('trains on files that are read there, in any number of turns', async () => {
    const progress: ReadProgress[] = [];
    const first = await trainer.readData({ plan, files: [garden(1, 40)], anew: true }, (told) => progress.push(told));
    expect(first).toMatchObject({ files: 1, kept: 40, refused: { count: 0 } });
    expect(progress.at(-1)).toMatchObject({ file: '1.csv' });
    const both = await trainer.readData({ plan, files: [garden(2, 60)], anew: false }, () => undefined);
    expect(both).toMatchObject({ files: 2, kept: 100 });
    expect(await trainer.open(TASK)).toEqual({ samples: { training: 75, validation: 25, test: 0 } });
    // The last epoch: 7 whole batches of 10.
    expect(await samplesTrained(1)).toBe(70);
  });

  it('reads the files again after a crash, before and after it trains on them', async () => {
    await trainer.readData({ plan, files: [garden(1, 40)], anew: true }, () => undefined);
    await crash();
    const both = await trainer.readData({ plan, files: [garden(2, 60)], anew: false }, () => undefined);
    expect(both.kept).toBe(100);
    await trainer.open(TASK);
    await crash();
    expect(await trainer.open(TASK)).toEqual({ samples: { training: 75, validation: 25, test: 0 } });
    expect(await samplesTrained(2)).toBe(70);
    expect(workers).toHaveLength(3);
  });

  it('says that there are no files, and takes none for public data', async () => {
    await expect(trainer.open(TASK)).rejects.toMatchObject({ code: 'data/nothing' });
    const wrong = { plan: digitsPlan({ hidden: [8] }), files: [garden(1, 8)], anew: true };
    await expect(trainer.readData(wrong, () => undefined)).rejects.toMatchObject({ code: 'worker/order' });
  });
});

describe('this browser', () => {
  it('gives files back as they were when it was asked to keep them', async () => {
    const store = createStore('hushgrad-test-own-files');
    const options = { plan, planHash: hashOf(BYTES), reading: trainer, store, onAccepted: () => undefined };
    const first = new RunFiles(options);
    await first.add([garden(1, 40)]);
    await first.accept(true);
    expect(first.view()).toMatchObject({ accepted: true, kept: true, problem: undefined });

    const second = new RunFiles(options);
    await second.restore();
    expect(second.view()).toMatchObject({ added: [{ name: '1.csv' }], kept: true, report: { kept: 40 } });
    await second.forget();
    const third = new RunFiles(options);
    await third.restore();
    expect(third.view()).toMatchObject({ added: [], kept: false, report: undefined });
    expect(await store.keys('files/')).toEqual([]);
  });
});
