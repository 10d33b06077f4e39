/** Beginning with a saved model: everyone goes on where another federation ended, and what does not fit is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { HashedModel } from '../../src/core/localWork.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { networkOf, parameterLayout } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { readSavedModel } from '../../src/core/savedModel.ts';
import type { NamedBytes, SavedModel } from '../../src/core/savedModel.ts';
import { writeSafetensors } from '../../src/core/safetensors.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { planOfFork, startOf, withStart } from '../../src/federation/start.ts';
import { verifyRun } from '../../tools/verify/verifyRun.ts';
import type { RunFiles } from '../../tools/verify/verifyRun.ts';
import { slowFigures } from '../reference/slowNetwork.ts';
import { slowSafetensors } from '../reference/slowSafetensors.ts';
import { filesOf } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';

const PEOPLE = 4;
const DOCUMENT = planDocument({ rounds: 2, people: PEOPLE });
const { plan: PLAN } = parsePlan(utf8(JSON.stringify(DOCUMENT)));
const NONE = { key: undefined, federation: undefined };

const random = SeededRandom.of(3);
const PLACED = placeNetwork(networkOf(PLAN.model));
const HELD_OUT = {
  inputs: Array.from({ length: 40 }, () => Array.from({ length: 5 }, () => random.normal())),
  targets: Array.from({ length: 40 }, (_, i) => [i % 3]),
};

/** By the definition of the plan's network, so that it depends on every parameter. */
function measure(model: ModelParameters) {
  const { losses, correct } = slowFigures(PLACED, [...model], HELD_OUT, {});
  return { lossSum: losses.reduce((sum, loss) => sum + loss, 0), correct, samples: losses.length };
}

async function run(document: object, start?: HashedModel): Promise<Room> {
  const room = await Room.found(document, systemClock, undefined, start);
  for (let i = 0; i < PEOPLE; i++) (await room.join(`participant ${i}`)).trainer.measure = measure;
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  return room;
}

let parent: Room;
let files: RunFiles;
const saved = (...names: readonly (keyof RunFiles)[]): SavedModel =>
  readSavedModel(names.map((name): NamedBytes => ({ name, bytes: files[name] })));

beforeAll(async () => {
  parent = await run(DOCUMENT);
  files = await filesOf(parent);
});

afterAll(() => parent.close());

describe('a fork', () => {
  let fork: Room;

  beforeAll(async () => {
    const model = saved('model.safetensors');
    const { planText: text } = await planOfFork(model);
    const document = JSON.parse(text) as object;
    fork = await run(document, await startOf(parsePlan(utf8(text)).plan, model));
  });

  afterAll(() => fork.close());

  test('begins with the model that its parent ended with, at what that was measured at', () => {
    const last = parent.coordinator.state.curve.at(-1);
    const first = fork.coordinator.state.curve[0];
    expect(first).toMatchObject({ round: 0, testAccuracy: last?.testAccuracy, testLoss: last?.testLoss });
    expect(first?.testLoss).not.toBe(parent.coordinator.state.curve[0]?.testLoss);
    const [record] = fork.coordinator.records;
    expect(record?.body.modelHashBefore).toBe(parent.coordinator.state.head.modelHash);
  });

  test('goes on from there, the same for everyone and for a newcomer', async () => {
    const { modelHash } = fork.coordinator.state.head;
    expect(modelHash).not.toBe(parent.coordinator.state.head.modelHash);
    const newcomer = await fork.join('newcomer');
    for (const { participant } of fork.guests) {
      await until(participant, () => participant.state.modelHash === modelHash);
    }
    expect(newcomer.participant.state.head?.recordHash).toBe(fork.coordinator.state.head.recordHash);
  });

  test('is verified from its files, and no longer once it says that it began elsewhere', async () => {
    const ofFork = await filesOf(fork);
    const verdict = await verifyRun(ofFork, NONE);
    expect(verdict.problems).toEqual([]);
    expect(verdict.checks.find(({ name }) => name === 'records')?.text).toContain("the model of the plan's start");
    const { start: _, ...without } = JSON.parse(new TextDecoder().decode(ofFork['plan.json'])) as { start: object };
    expect((await verifyRun({ ...ofFork, 'plan.json': utf8(JSON.stringify(without)) }, NONE)).ok).toBe(false);
  });

  test('is restored before its first round, and not without its model', async () => {
    const model = saved('model.json', 'weights.bin');
    const document = JSON.parse((await withStart(JSON.stringify(DOCUMENT), model)).planText) as object;
    const { plan } = parsePlan(utf8(JSON.stringify(document)));
    const room = await Room.found(document, systemClock, undefined, await startOf(plan, model));
    room.coordinator.close();
    await room.openCoordinator();
    expect(room.coordinator.state.head.modelHash).toBe(parent.coordinator.state.head.modelHash);
    room.close();
    await expect(Room.found(document)).rejects.toMatchObject({ code: 'run/start' });
  });
});

describe('a saved model', () => {
  test('is the same from either form, and to a separate reader', async () => {
    const both = [saved('model.safetensors'), saved('model.json', 'weights.bin')];
    const [one, two] = await Promise.all(both.map((model) => withStart(JSON.stringify(DOCUMENT), model)));
    expect(one).toEqual(two);
    expect(JSON.parse(one?.planText ?? '')).toMatchObject({
      start: { modelHash: parent.coordinator.state.head.modelHash },
    });
    const { tensors, metadata } = slowSafetensors(files['model.safetensors']);
    const weights = new Float32Array(files['weights.bin'].slice().buffer);
    for (const { name, shape, offset, length } of parameterLayout(PLAN.model).blocks) {
      expect(tensors[name]).toEqual({
        dtype: 'F32',
        shape,
        values: Array.from(weights.subarray(offset, offset + length)),
      });
    }
    const { deed, coordinator } = parent;
    expect(metadata).toMatchObject({
      licence: 'CC0-1.0',
      dataLicence: 'CC0-1.0',
      planHash: deed.planHash,
      federation: deed.federation,
      modelHash: coordinator.state.head.modelHash,
      ledgerHead: coordinator.state.head.recordHash,
      rounds: '2',
      plan: new TextDecoder().decode(deed.planBytes),
    });
  });

  const layers = (change: (json: string) => string): readonly NamedBytes[] => [
    { name: 'model.json', bytes: utf8(change(new TextDecoder().decode(files['model.json']))) },
    { name: 'weights.bin', bytes: files['weights.bin'] },
  ];
  const begin = (of: readonly NamedBytes[], document: object = DOCUMENT): Promise<unknown> =>
    withStart(JSON.stringify(document), readSavedModel(of));
  const wider = { ...DOCUMENT, model: { ...DOCUMENT.model, hidden: [6] } };
  const deeper = { ...DOCUMENT, model: { ...DOCUMENT.model, hidden: [4, 3] } };
  const shallower = { ...DOCUMENT, model: { architecture: 'linear', inputs: 5, outputs: 3 } };

  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['no file', () => begin([]), 'start/files', /chosen: none/],
    ['one half of two', () => begin(layers(String).slice(0, 1)), 'start/files', /chosen: "model\.json"/],
    ['no JSON', () => begin(layers(() => '{')), 'start/not-json', /"model\.json" is not valid JSON/],
    ['JSON of something else', () => begin(layers(() => '{}')), 'start/model', /"weightsManifest" is missing/],
    [
      'weights that are cut',
      () =>
        begin(
          layers(String).map((file) => ({
            ...file,
            ...(file.name === 'weights.bin' && { bytes: file.bytes.slice(4) }),
          })),
        ),
      'start/weights',
      /"weights\.bin" has 152 bytes, expected 156/,
    ],
    [
      'weights with one bit changed',
      () =>
        begin(
          layers(String).map(({ name, bytes }) => ({ name, bytes: name === 'weights.bin' ? flipped(bytes) : bytes })),
        ),
      'start/damaged',
      /The hash of the model is [0-9a-f]{64}, its file says [0-9a-f]{64}/,
    ],
    [
      'a wider plan',
      () => begin(layers(String), wider),
      'start/architecture',
      /"dense_1\/kernel" of shape \[5, 4\], expected one of shape \[5, 6\]/,
    ],
    [
      'a deeper plan',
      () => begin(layers(String), deeper),
      'start/architecture',
      /no "dense_3\/kernel", expected one of shape \[3, 3\]/,
    ],
    [
      'a shallower plan',
      () => begin(layers(String), shallower),
      'start/architecture',
      /expected one of shape \[5, 3\]/,
    ],
    [
      'a model that is none of ours',
      () => planOfFork({ ...saved('model.safetensors'), planText: undefined }),
      'start/no-plan',
      /does not say which plan/,
    ],
    [
      'a value that is no number',
      () => begin([{ name: 'a.safetensors', bytes: withNaN() }]),
      'start/architecture',
      /no finite number/,
    ],
  ])('is refused: %s', async (_, work, code, message) => {
    await expect(async () => await work()).rejects.toEqual(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('must be there, and the one that the plan names', async () => {
    const model = saved('model.safetensors');
    const { plan } = parsePlan(utf8((await planOfFork(model)).planText));
    expect(await startOf(PLAN, model)).toBeUndefined();
    await expect(startOf(plan, undefined)).rejects.toMatchObject({ code: 'start/missing' });
    const elsewhere = { ...plan, start: { modelHash: 'ab'.repeat(32) } };
    await expect(startOf(elsewhere, model)).rejects.toMatchObject({ code: 'start/hash' });
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed[1] = (changed[1] ?? 0) ^ 1;
  return changed;
}

function withNaN(): Uint8Array {
  const { tensors } = saved('model.safetensors');
  return writeSafetensors({
    tensors: tensors.map((tensor) => ({ ...tensor, values: tensor.values.map(() => Number.NaN) })),
    metadata: {},
  });
}
