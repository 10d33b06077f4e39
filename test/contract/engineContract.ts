/** What every training engine must do, whatever computes it. Runs in Node and in a browser. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EngineName, EngineSession, TrainingEngine } from '../../src/core/engine.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Layer } from '../../src/core/network.ts';
import { NETWORKS, someExamples, someParameters } from '../support/networks.ts';
import { FREE, SEED, training } from '../support/training.ts';
import { agreesWithCpu } from './engineAgreement.ts';
import { outputContract } from './engineOutputs.ts';
import { PLAIN, portContract } from './enginePort.ts';

export interface EngineContractOptions {
  /** Layers that the engine says it cannot train. */
  readonly lacks?: readonly Layer['kind'][];
  /** Random networks that it is compared on. */
  readonly runs?: number;
  /** Whether 20 steps are compared too, and every layer: for engines whose kernels and optimizers are their own. */
  readonly curves?: boolean;
}

/** `open` gives an engine of its own each time. An engine other than cpu is compared with cpu, which must run there. */
export function engineContract(
  name: EngineName,
  open: () => Promise<TrainingEngine>,
  { lacks = [], runs = 25, curves = true }: EngineContractOptions = {},
): void {
  describe(`the ${name} engine keeps the contract of an engine`, () => {
    let engine: TrainingEngine;
    let session: EngineSession;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());
    beforeEach(async () => {
      session = await engine.open(PLAIN);
      session.setParameters(someParameters(PLAIN));
    });
    afterEach(() => session.close());

    portContract(
      name,
      () => engine,
      () => session,
    );
    outputContract(
      () => engine,
      () => session,
    );
    it.each(['a frozen dense layer', 'frozen layers'])(
      'leaves as it is, bit for bit, what is frozen: %s',
      async (name) => {
        const network = NETWORKS[name] ?? PLAIN;
        if (network.layers.some(({ kind }) => lacks.includes(kind))) return;
        const own = await engine.open(network);
        const start = someParameters(network);
        own.setParameters(start);
        const decaying = training({
          optimizer: { kind: 'adamw', weightDecay: 0.1 },
          fedProxMu: 0.1,
          maxGradientNorm: 1,
        });
        await own.train(someExamples(network, 24), decaying, SEED, FREE);
        const after = await own.parameters();
        own.close();
        for (const { role, offset, length } of placeNetwork(network).layout.blocks) {
          const [before, now] = [start, after].map((values) => values.slice(offset, offset + length));
          if (role === 'frozen') expect(now).toEqual(before);
          else expect(now).not.toEqual(before);
        }
      },
    );

    if (lacks.length > 0) {
      it.each(lacks)('refuses a network with a layer of the kind %s', async (kind) => {
        const network = Object.values(NETWORKS).find(({ layers }) => layers.some((layer) => layer.kind === kind));
        if (!network) throw new RangeError(`no network has a layer of the kind ${kind}`);
        const layers = network.layers.filter((layer) => layer.kind === kind || !lacks.includes(layer.kind));
        const refused = { ...network, layers };
        await expect(engine.open(refused)).rejects.toMatchObject({
          code: 'engine/unsupported',
          message: expect.stringContaining(kind),
        });
      });
    }
  });
  if (name !== 'cpu') agreesWithCpu(name, open, { lacks, runs, curves });
}
