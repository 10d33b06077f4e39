/** What a finished run leaves behind, checked by whoever has only the files. */
import type * as tfjs from '@tensorflow/tfjs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parsePlan } from '../../../src/core/plan.ts';
import { hashOf } from '../../../src/crypto/hash.ts';
import { parseIdxImages, parseIdxLabels } from '../../../src/data/idx.ts';
import { DIGITS } from '../../../src/data/registry.ts';
import { decodeLedger, encodeLedger, verifyLedger } from '../../../src/federation/ledger.ts';
import type { LedgerHead } from '../../../src/federation/ledger.ts';
import type { LedgerRecord } from '../../../src/federation/record.ts';
import { initialise } from '../../../src/update/initialise.ts';
import { modelHashOf } from '../../../src/update/modelHash.ts';
import { DATA_DIR } from '../../../tools/build.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

export function jsonLines<T>(text: string): readonly T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Every hash and signature, from the model that the plan's seed gives to the last record. @throws HushError `ledger/…`. */
export async function verifiedHead(planText: string, records: readonly LedgerRecord[]): Promise<LedgerHead> {
  const { plan, bytes } = parsePlan(Buffer.from(planText));
  const first = records[0]?.body;
  if (first === undefined) throw new Error('The ledger is empty.');
  const binding = { federation: first.federation, planHash: hashOf(bytes) };
  const context = { binding, coordinatorKey: first.coordinatorKey, plan };
  const initial = modelHashOf(initialise(plan.model, plan.seed));
  // Through its encoding, so that the schema of a record is checked too.
  return verifyLedger(context, initial, decodeLedger(encodeLedger(records)));
}

/** How many of the held-out digits the saved model gets right, by stock tfjs in Node. */
export async function heldOutDigits(modelFolder: string): Promise<{ readonly correct: number; readonly of: number }> {
  await tf.setBackend('cpu');
  const model = await tf.loadLayersModel({ load: () => artifacts(modelFolder) });
  const [images, labels] = await Promise.all(
    [DIGITS.imagesFile, DIGITS.labelsFile].map(async (file) => gunzipSync(await readFile(join(DATA_DIR, file)))),
  );
  const { pixels, width } = parseIdxImages(images!, DIGITS.imagesFile);
  const of = DIGITS.testCount;
  const answers = parseIdxLabels(labels!, DIGITS.labelsFile).slice(-of);
  const guesses = tf.tidy(() => {
    const rows = tf.tensor2d(Float32Array.from(pixels.slice(-of * width)), [of, width]).div(255);
    return (model.predict(rows) as tfjs.Tensor2D).argMax(1).dataSync();
  });
  model.dispose();
  return { correct: answers.reduce((sum, answer, i) => sum + Number(guesses[i] === answer), 0), of };
}

async function artifacts(folder: string): Promise<tfjs.io.ModelArtifacts> {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as tfjs.io.ModelJSON;
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  const weights = await Promise.all(paths.map((path) => readFile(join(folder, path))));
  return {
    modelTopology: json.modelTopology,
    weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
    weightData: new Uint8Array(Buffer.concat(weights)).buffer,
  };
}
