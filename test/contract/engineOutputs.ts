/** What an engine says that a model gives: the outputs of the definitions, whatever the labels are. */
import { expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { EngineSession, TrainingControl, TrainingEngine } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import { slowOutputs, slowRows } from '../reference/slowNetwork.ts';
import { NETWORKS, someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, FREE, SEED, training } from '../support/training.ts';
import { clouds, PLAIN } from './enginePort.ts';

/** Float32 against float64: a difference of this much of the largest output. */
const TOLERANCE = 1e-5;

/** The session's parameters are those of `someParameters`. */
export async function expectOutputs(session: EngineSession, network: Network, examples: Examples): Promise<void> {
  const got = await session.predict({ ...examples, labels: new Int32Array([1e9]), labelWidth: 9 });
  const rows = slowRows(examples.inputs, examples.width, examples.inputScale);
  const expected = slowOutputs(placeNetwork(network), [...someParameters(network)], rows, {}).flat();
  expect(got).toHaveLength(expected.length);
  const largest = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const off = expected.reduce((off, value, i) => Math.max(off, Math.abs(value - (got[i] ?? NaN))), 0);
  expect(off / largest).toBeLessThan(TOLERANCE);
}

/** The session is open on PLAIN with its parameters set. */
export function outputContract(engineOf: () => TrainingEngine, sessionOf: () => EngineSession): void {
  it('gives the outputs of many rows, the last of them few, and of none', async () => {
    await expectOutputs(sessionOf(), PLAIN, clouds(2 * 256 + 3));
    expect(await sessionOf().predict(clouds(0))).toHaveLength(0);
  });

  it('changes nothing by giving outputs', async () => {
    const network = NETWORKS['batch normalisation of vectors'] ?? PLAIN;
    const session = await engineOf().open(network);
    const examples = someExamples(network, 40);
    const outcome = async (predicts: boolean) => {
      session.setParameters(someParameters(network));
      const measure = async (): Promise<number> => {
        if (predicts) await session.predict(examples);
        return session.liveTensors();
      };
      const before = await measure();
      const rule = training({ optimizer: { kind: 'adam' }, learningRate: 0.003, maxGradientNorm: 1 });
      const { correct } = await session.train(examples, rule, SEED, FREE);
      const lives = [before, await measure()];
      return { counted: [correct, ...lives], parameters: await session.parameters() };
    };
    await outcome(true);
    const [predicting, plain] = [await outcome(true), await outcome(false)];
    expect(predicting.counted).toEqual(plain.counted);
    expectSameBlocks(network, predicting.parameters, plain.parameters, 1e-6);
    session.close();
  });

  it('pauses and stops between batches of outputs', async () => {
    const session = sessionOf();
    const outputs = await session.predict(clouds(600));
    const before = session.liveTensors();
    let calls = 0;
    const pausing: TrainingControl = { ...FREE, proceed: () => (calls++ === 1 ? Promise.resolve() : undefined) };
    expect(await session.predict(clouds(600), pausing)).toEqual(outputs);
    expect(calls).toBeGreaterThan(1);
    const stopping: TrainingControl = {
      ...FREE,
      proceed: () => Promise.reject(new HushError('engine/stopped', 'Training was stopped.')),
    };
    await expect(session.predict(clouds(600), stopping)).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(session.liveTensors()).toBe(before);
  });

  it('gives no outputs of inputs that do not fit the network', async () => {
    await expect(sessionOf().predict({ ...clouds(4), width: 7 })).rejects.toMatchObject({ code: 'engine/shape' });
    sessionOf().close();
    await expect(sessionOf().predict(clouds(4))).rejects.toMatchObject({ code: 'engine/closed' });
  });
}
