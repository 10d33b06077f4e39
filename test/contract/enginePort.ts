/** What the port of the training engine promises, whatever computes it: parameters, figures, pauses, errors, no leaks. */
import { expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { EngineName, EngineSession, TrainingControl, TrainingEngine } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import type { Network } from '../../src/core/network.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { dense, NETWORKS, someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, FREE, OPTIMIZERS, SEED, training } from '../support/training.ts';

export const PLAIN: Network = {
  input: { kind: 'values', shape: [6] },
  layers: [dense(8, 'relu'), dense(3)],
  loss: 'softmax-cross-entropy',
};

/** Three clouds in six dimensions: easy to learn, so that a wrong gradient shows. */
export function clouds(count: number, seed = 1): Examples {
  const random = SeededRandom.of(seed);
  const labels = Uint8Array.from({ length: count }, () => random.below(3));
  const inputs = Float32Array.from({ length: count * 6 }, (_, i) => {
    const label = labels[Math.floor(i / 6)] ?? 0;
    return random.normal() + (i % 3 === label ? 2 : 0);
  });
  return { count, width: 6, inputs, inputScale: 0.5, labels };
}

/** The session is open on PLAIN with its parameters set. */
export function portContract(name: EngineName, engineOf: () => TrainingEngine, sessionOf: () => EngineSession): void {
  it('says who it is', () => {
    expect(engineOf().name).toBe(name);
    expect(engineOf().adapter).not.toBe('');
  });

  it('gives back the parameters that it was given', async () => {
    const random = SeededRandom.of(3);
    const parameters = someParameters(PLAIN).map(() => random.normal()) as ModelParameters;
    sessionOf().setParameters(parameters);
    expect(await sessionOf().parameters()).toEqual(parameters);
    expect(() => sessionOf().setParameters(new Float32Array(5) as ModelParameters)).toThrow(
      expect.objectContaining({ code: 'engine/shape', message: expect.stringContaining('expected 83') }),
    );
  });

  it('learns, and its figures say so', async () => {
    const session = sessionOf();
    const before = await session.evaluate(clouds(90, 2));
    const seen = await session.train(clouds(43), training({ epochs: 8 }), SEED, FREE);
    const after = await session.evaluate(clouds(90, 2));
    // A partial last batch is left out.
    expect(seen.samples).toBe(40);
    expect(after.samples).toBe(90);
    expect(after.lossSum).toBeLessThan(before.lossSum / 2);
    expect(after.correct).toBeGreaterThan(75);
    expect(seen.correct).toBeGreaterThan(30);
  });

  it('leaves nothing behind', async () => {
    const session = sessionOf();
    const round = async (): Promise<void> => {
      session.setParameters(await session.parameters());
      await session.evaluate(clouds(30, 2));
      for (const rule of OPTIMIZERS) {
        const limits = { fedProxMu: 0.1, maxGradientNorm: 1, epochs: 1 };
        await session.train(clouds(16), training({ ...rule, ...limits }), SEED, FREE);
      }
    };
    await round();
    const first = session.liveTensors();
    await round();
    await round();
    expect(session.liveTensors()).toBe(first);
    session.close();
    expect(session.liveTensors()).toBeLessThanOrEqual(first);
  });

  it('leaves nothing behind of other networks', async () => {
    const lives: number[] = [];
    for (let round = 0; round < 3; round++) {
      const network = NETWORKS['batch normalisation of vectors'] ?? PLAIN;
      const other = await engineOf().open(network);
      other.setParameters(someParameters(network));
      await other.train(someExamples(network, 9), training({ batchSize: 3, epochs: 1 }), SEED, FREE);
      other.close();
      lives.push(sessionOf().liveTensors());
    }
    expect(lives[2]).toBe(lives[1]);
  });

  it('stops when told to, and can train again', async () => {
    const session = sessionOf();
    const rule = training({ epochs: 24 });
    await session.train(clouds(40), training(), SEED, FREE);
    const before = session.liveTensors();
    let calls = 0;
    const stopping: TrainingControl = {
      proceed: () => {
        if (++calls >= 3) throw new HushError('engine/stopped', 'Training was stopped.');
      },
      onProgress: () => undefined,
    };
    await expect(session.train(clouds(40), rule, SEED, stopping)).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(calls).toBe(3);
    expect(session.liveTensors()).toBe(before);
    const outcomes: ModelParameters[] = [];
    for (let run = 0; run < 2; run++) {
      session.setParameters(someParameters(PLAIN));
      await session.train(clouds(20), training(), SEED, FREE);
      outcomes.push(await session.parameters());
    }
    expectSameBlocks(PLAIN, outcomes[0] ?? [], outcomes[1] ?? [], 1e-6);
  });

  it('waits while it is paused', async () => {
    const fractions: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let reached = (): void => undefined;
    const atGate = new Promise<void>((resolve) => (reached = resolve));
    let calls = 0;
    const running = sessionOf().train(clouds(40), training({ epochs: 24 }), SEED, {
      proceed: () => {
        if (++calls !== 3) return undefined;
        reached();
        return gate;
      },
      onProgress: ({ fraction }) => void fractions.push(fraction),
    });
    await atGate;
    expect(calls).toBe(3);
    expect(fractions.every((fraction) => fraction < 1)).toBe(true);
    open();
    await running;
    expect(calls).toBeGreaterThan(3);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it('pauses and stops in the middle of an evaluation too, and measures the same afterwards', async () => {
    const session = sessionOf();
    const figures = await session.evaluate(clouds(600));
    const before = session.liveTensors();
    let calls = 0;
    let open = (): void => undefined;
    let reached = (): void => undefined;
    const atGate = new Promise<void>((resolve) => (reached = resolve));
    const control: TrainingControl = {
      proceed: () => {
        if (++calls > 1) return undefined;
        reached();
        return new Promise<void>((resolve) => (open = resolve));
      },
      onProgress: () => undefined,
    };
    const running = session.evaluate(clouds(600), control);
    await atGate;
    expect(calls).toBe(1);
    open();
    // Threads that come in or stay out add the losses up in another order.
    const same = { ...figures, lossSum: expect.closeTo(figures.lossSum, 6) };
    expect(await running).toEqual(same);
    expect(calls).toBeGreaterThan(1);
    const stopping: TrainingControl = {
      proceed: () => Promise.reject(new HushError('engine/stopped', 'Training was stopped.')),
      onProgress: () => undefined,
    };
    await expect(session.evaluate(clouds(600), stopping)).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(session.liveTensors()).toBe(before);
    expect(await session.evaluate(clouds(600))).toEqual(same);
  });

  it.each([NaN, 1e30])('notices that training with the learning rate %s diverges', async (learningRate) => {
    const running = sessionOf().train(clouds(40), training({ learningRate }), SEED, FREE);
    await expect(running).rejects.toMatchObject({ code: 'engine/not-finite' });
  });

  it('refuses examples that do not fit the network', async () => {
    const session = sessionOf();
    const refused = async (examples: Examples, message: string): Promise<void> => {
      const error = { code: 'engine/shape', message: expect.stringContaining(message) };
      await expect(session.evaluate(examples)).rejects.toMatchObject(error);
      await expect(session.train(examples, training(), SEED, FREE)).rejects.toMatchObject(error);
    };
    await refused({ ...clouds(4), width: 7 }, "width is 7, expected the model's 6 inputs");
    await refused({ ...clouds(4), labels: new Uint8Array([0, 1, 2, 3]) }, 'label is 3, expected 0 to 2');
    await refused({ ...clouds(4), labelWidth: 2 }, "number of targets is 2, expected the model's 1");
    await expect(session.train(clouds(0), training(), SEED, FREE)).rejects.toMatchObject({ code: 'engine/no-data' });
    expect(await session.evaluate(clouds(0))).toEqual({ lossSum: 0, correct: 0, samples: 0 });
  });

  it('refuses tokens that are not in the vocabulary', async () => {
    const network = NETWORKS['an embedding'] ?? PLAIN;
    const session = await engineOf().open(network);
    session.setParameters(someParameters(network));
    const good = someExamples(network, 2);
    for (const token of [7, -1, 0.5]) {
      const inputs = Float32Array.from(good.inputs).fill(token, 3, 4);
      await expect(session.evaluate({ ...good, inputs })).rejects.toMatchObject({
        code: 'engine/shape',
        message: expect.stringContaining(`token is ${token}, expected 0 to 6`),
      });
    }
    session.close();
  });

  it('refuses work once it is closed', async () => {
    sessionOf().close();
    await expect(sessionOf().parameters()).rejects.toMatchObject({ code: 'engine/closed' });
  });

  it('trains on fewer examples than a batch', async () => {
    expect(await sessionOf().train(clouds(5), training(), SEED, FREE)).toMatchObject({ samples: 5 });
  });

  it('counts each class that is predicted, and each row of other losses', async () => {
    for (const [name, samples] of [
      ['attention', 4 * 5],
      ['binary cross-entropy', 4],
      ['mean squared error', 4],
    ] as const) {
      const network = NETWORKS[name] ?? PLAIN;
      const session = await engineOf().open(network);
      session.setParameters(someParameters(network));
      const seen = await session.train(someExamples(network, 4), training({ batchSize: 4 }), SEED, FREE);
      const measured = await session.evaluate(someExamples(network, 4));
      session.close();
      expect([seen.samples, measured.samples]).toEqual([samples, samples]);
      if (network.loss === 'mean-squared-error') expect([seen.correct, measured.correct]).toEqual([0, 0]);
    }
  });

  it('counts a sample that is all wrong at most 64', async () => {
    const wrong = { count: 2, width: 1, inputs: new Float32Array([1, 1]), inputScale: 1 };
    for (const [loss, labels, parameters] of [
      ['softmax-cross-entropy', [1, 0], [1000, -1000, 0, 0]],
      ['binary-cross-entropy', [0, 1], [1000, 0]],
      ['mean-squared-error', [0, 1000], [1000, 0]],
    ] as const) {
      const layers = [dense(parameters.length / 2)];
      const session = await engineOf().open({ input: { kind: 'values', shape: [1] }, layers, loss });
      session.setParameters(new Float32Array(parameters) as ModelParameters);
      const figures = await session.evaluate({ ...wrong, labels: new Float32Array(labels) });
      session.close();
      expect(figures).toMatchObject({ correct: loss === 'mean-squared-error' ? 0 : 1, samples: 2 });
      expect(figures.lossSum).toBeCloseTo(64, 3);
    }
  });
}
