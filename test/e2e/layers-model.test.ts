/** A plan whose model.json has layers without kernels of ours: real tabs train it by tfjs layers, and save it. */
import type * as tfjs from '@tensorflow/tfjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildApplication } from '../../tools/build.ts';
import { ROOT } from '../../tools/command.ts';
import type { Report } from '../../tools/federate/report.ts';
import { rowBesideSequence, savedKeras } from '../support/kerasModels.ts';
import { gardenTable, ownPlanDocument } from '../support/ownPlan.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const LIMIT_MS = 120_000;
const KINDS = ['rose', 'lily', 'iris'];

let folder: string;

beforeAll(async () => {
  await buildApplication();
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-layers-'));
  const { model } = await savedKeras(tf, rowBesideSequence(tf, 2, 3));
  const plan = ownPlanDocument({ rounds: 2, people: 3 });
  await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...plan, model }));
  await mkdir(join(folder, 'gardens'));
  for (const garden of [1, 2, 3]) {
    await writeFile(join(folder, 'gardens', `${garden}.csv`), gardenTable(garden, 80));
  }
});

afterAll(() => rm(folder, { recursive: true }));

async function run(tool: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', `tools/${tool}.ts`, ...args], {
    cwd: ROOT,
    env: { ...process.env, INIT_CWD: ROOT },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number]>;
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}

it(
  'three tabs train it, and what they save predicts in stock tfjs and verifies',
  async () => {
    const out = join(folder, 'out');
    const args = [join(folder, 'plan.json'), '--data', join(folder, 'gardens'), '--out', out, '--json'];
    const { code, output, errors } = await run('federate', ...args);
    expect([code, errors]).toEqual([0, '']);
    const report = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Report;
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true, participants: 3, rounds: 2, modelHashesAgree: true });
    expect(report.validationAccuracy).toBeGreaterThanOrEqual(0.9);

    const verified = await run('verify', out);
    expect(verified, verified.errors).toMatchObject({ code: 0 });

    const json = JSON.parse(await readFile(join(out, 'model.json'), 'utf8')) as tfjs.io.ModelJSON;
    const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights);
    const weightData = new Uint8Array(await readFile(join(out, 'weights.bin'))).buffer;
    const files = tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData });
    const model = await tf.loadLayersModel(files);
    const rows = gardenTable(5, 60)
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const inputs = rows.map(([petal, sepal]) => [(Number(petal) - 3) / 1.5, (Number(sepal) - 4.5) / 1.5]);
    const classes = (model.predict(tf.tensor2d(inputs)) as tfjs.Tensor).argMax(1).dataSync();
    const right = rows.filter((row, i) => row[3] === KINDS[classes[i] ?? -1]).length;
    expect(right / rows.length).toBeGreaterThan(0.9);
  },
  LIMIT_MS,
);
