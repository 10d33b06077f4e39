/** The compiled WebAssembly engine on several threads, as a cross-origin isolated page has them. */
import { describe, expect, it } from 'vitest';
import { HushError } from '../../src/core/errors.ts';
import { CompiledWasm } from '../../src/engine/wasm/compiledWasm.ts';
import { arithmetic } from '../../src/engine/wasm/support.ts';
import type { Target } from '../../src/engine/wasm/target.ts';
import { availableThreads } from '../../src/engine/wasm/team.ts';
import { engineContract } from '../contract/engineContract.ts';
import { NETWORKS, someExamples, someParameters } from '../support/networks.ts';
import { FREE, SEED, training } from '../support/training.ts';

const TWO: Target = { arithmetic: arithmetic(), threads: 2, spreadsFrom: 0 };
const THREE: Target = { ...TWO, threads: 3 };
const ONE: Target = { ...TWO, threads: 1 };

describe('on two threads', () => {
  engineContract('compiled-wasm', () => Promise.resolve(new CompiledWasm(TWO)), { lacks: ['lstm'], runs: 10 });
});

describe('threads', () => {
  it('are there where the page is isolated', () => {
    expect(crossOriginIsolated).toBe(true);
    expect(availableThreads()).toBe(Math.min(4, navigator.hardwareConcurrency));
  });

  it('change nothing in what is learned', async () => {
    const network = NETWORKS['a bit of everything for images']!;
    const outcomes = [];
    for (const target of [ONE, TWO, THREE]) {
      const engine = new CompiledWasm(target);
      const session = await engine.open(network);
      expect(engine.adapter).toContain(target.threads === 1 ? 'one core' : `${target.threads} cores`);
      session.setParameters(someParameters(network));
      await session.train(someExamples(network, 40), training({ batchSize: 8 }), SEED, FREE);
      outcomes.push(await session.parameters());
      engine.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
  });

  it('stay in step when a slow training is stopped between two kernels', async () => {
    const network = NETWORKS['a transformer block']!;
    const engine = new CompiledWasm(TWO);
    const session = await engine.open(network);
    const examples = someExamples(network, 4000);
    const rule = training({ batchSize: 4000, epochs: 3 });
    session.setParameters(someParameters(network));
    await session.train(examples, rule, SEED, FREE);
    const right = await session.parameters();
    for (const stopAt of [2, 3, 4, 5, 6]) {
      let calls = 0;
      const stopping = {
        proceed: () => {
          if (++calls === stopAt) throw new HushError('engine/stopped', 'Training was stopped.');
        },
        onProgress: () => undefined,
      };
      await session.train(examples, { ...rule, epochs: 1000 }, SEED, stopping).catch(() => undefined);
      expect(calls).toBe(stopAt);
    }
    session.setParameters(someParameters(network));
    await session.train(examples, rule, SEED, FREE);
    expect(await session.parameters()).toEqual(right);
    engine.close();
  });

  it('are done without where a helper does not start', async () => {
    const { Worker: real } = globalThis;
    globalThis.Worker = class extends EventTarget {
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new Event('error', { cancelable: true })));
      }
      postMessage(): void {}
      terminate(): void {}
    } as unknown as typeof Worker;
    try {
      const engine = new CompiledWasm(TWO);
      await engine.open(NETWORKS['a dense layer alone']!);
      expect(engine.adapter).toContain('one core');
      engine.close();
    } finally {
      globalThis.Worker = real;
    }
  });
});
