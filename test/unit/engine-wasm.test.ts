/** What the compiled WebAssembly engine does besides the contract of all engines. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EngineSession, TrainingControl } from '../../src/core/engine.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import { CompiledWasm, openCompiledWasm } from '../../src/engine/wasm/compiledWasm.ts';
import { compileNetwork } from '../../src/engine/wasm/network.ts';
import { NETWORKS, dense, someExamples, someParameters } from '../support/networks.ts';
import { FREE, SEED, training } from '../support/training.ts';

const SMALL: Network = {
  input: { kind: 'values', shape: [6] },
  layers: [dense(8, 'relu'), dense(3)],
  loss: 'softmax-cross-entropy',
};

const ONE = { arithmetic: { fused: false }, threads: 1, spreadsFrom: 0 };

async function opened(network: Network): Promise<EngineSession> {
  const session = await new CompiledWasm(ONE).open(network);
  session.setParameters(someParameters(network));
  return session;
}

afterEach(() => vi.unstubAllGlobals());

describe('the compiled-wasm engine', () => {
  it('says that SIMD is missing where it is', async () => {
    vi.stubGlobal('WebAssembly', { ...WebAssembly, validate: () => false });
    await expect(openCompiledWasm()).rejects.toMatchObject({
      code: 'engine/unavailable',
      message: "The compiled-wasm engine cannot be used here: this browser's WebAssembly has no SIMD.",
    });
    vi.stubGlobal('WebAssembly', undefined);
    await expect(openCompiledWasm()).rejects.toMatchObject({ code: 'engine/unavailable' });
  });

  it('opens nothing once it is closed', async () => {
    const engine = await openCompiledWasm();
    engine.close();
    await expect(engine.open(SMALL)).rejects.toMatchObject({ code: 'engine/closed' });
  });

  it('says so when memory is refused, and when there can be none', async () => {
    const session = await opened(SMALL);
    const refused = training({ batchSize: 1000 });
    vi.stubGlobal('WebAssembly', {
      ...WebAssembly,
      compile: WebAssembly.compile,
      instantiate: WebAssembly.instantiate,
      Memory: function refuse() {
        throw new RangeError('could not allocate memory');
      },
    });
    const examples = someExamples(SMALL, 1000);
    await expect(session.train(examples, refused, SEED, FREE)).rejects.toMatchObject({ code: 'engine/out-of-memory' });
    vi.unstubAllGlobals();
    // What it had is still there.
    expect(await session.parameters()).toEqual(someParameters(SMALL));
    expect(await session.train(examples, training(), SEED, FREE)).toMatchObject({ samples: 1000 });
    const huge: Network = { ...SMALL, input: { kind: 'values', shape: [60_000] }, layers: [dense(20_000)] };
    await expect(new CompiledWasm(ONE).open(huge)).rejects.toMatchObject({ code: 'engine/out-of-memory' });
  });

  it('takes the same steps whatever batches came before', async () => {
    const session = await opened(SMALL);
    const outcomes = [];
    for (const before of [4, 100]) {
      await session.train(someExamples(SMALL, before), training({ batchSize: before }), SEED, FREE);
      session.setParameters(someParameters(SMALL));
      const seen = await session.train(someExamples(SMALL, 70), training({ batchSize: 9 }), SEED, FREE);
      outcomes.push({
        seen,
        after: await session.parameters(),
        measured: await session.evaluate(someExamples(SMALL, 70)),
      });
    }
    expect(outcomes[1]?.after).toEqual(outcomes[0]?.after);
    expect(outcomes[1]?.seen).toEqual(outcomes[0]?.seen);
    expect(outcomes[1]?.measured.samples).toBe(70);
  });

  it('trains on bytes and integers as on the floats that they stand for', async () => {
    const bytes = Uint8Array.from({ length: 6 * 7 }, (_, i) => (i * 37) % 256);
    const outcomes = [];
    for (const inputs of [bytes, Int32Array.from(bytes), Float32Array.from(bytes)]) {
      const session = await opened(SMALL);
      const examples = { ...someExamples(SMALL, 7), inputs, inputScale: 1 / 255 };
      await session.train(examples, training({ batchSize: 7 }), SEED, FREE);
      outcomes.push(await session.parameters());
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
  });

  it('lets a pause in between the kernels of a slow step', async () => {
    const session = await opened(SMALL);
    // Every look at the clock is a tenth of a second later.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 100));
    let calls = 0;
    const control: TrainingControl = { proceed: () => void calls++, onProgress: () => undefined };
    await session.train(someExamples(SMALL, 40), training({ batchSize: 8, epochs: 1 }), SEED, control);
    vi.restoreAllMocks();
    expect(calls).toBeGreaterThan(20);
    session.setParameters(someParameters(SMALL));
    await session.train(someExamples(SMALL, 40), training({ batchSize: 8, epochs: 1 }), SEED, FREE);
  });

  it('has a memory that depends on the network and the batch alone', () => {
    const network = NETWORKS['a bit of everything for images'] ?? SMALL;
    const sizes = [8, 8, 16].map((rows) => compileNetwork(placeNetwork(network), rows, { fused: false }, 1).bytes);
    expect(sizes[1]).toBe(sizes[0]);
    expect(sizes[2]).toBeLessThan(2 * (sizes[0] ?? 0));
  });
});
