/** Made-up names, plans and an engine choice, for the screen gallery and the screens' tests. */
import type { EngineChoice } from '../../src/core/engine.ts';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import type { Plan } from '../../src/core/plan.ts';

export function hex(seed: number, length: number): string {
  let state = seed * 2654435761 + 12345;
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += (state >>> 28).toString(16);
  }
  return text;
}

export const hash = (seed: number): Hash => hex(seed, 64) as Hash;
export const participant = (seed: number): ParticipantId => hex(seed + 100, 32) as ParticipantId;

export const plan: Plan = {
  schema: 1,
  name: 'Digits, handwritten',
  description: 'Ten classes of handwritten digits, 28 × 28 grey values; each person trains on a shard of 1,000.',
  licence: 'CC0-1.0',
  lane: 'sealed',
  task: { kind: 'classification', classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
  data: {
    kind: 'public',
    name: 'mnist-10k',
    sha256: hex(7, 64),
    licence: 'CC BY-SA 3.0',
    shards: 8,
    split: { kind: 'iid' },
  },
  model: { architecture: 'mlp', inputs: 784, hidden: [128], outputs: 10, activation: 'relu' },
  training: { optimizer: { kind: 'sgd' }, learningRate: 0.1, batchSize: 32, epochs: 1, fedProxMu: 0 },
  aggregation: {
    server: 'fedavg',
    serverLearningRate: 1,
    rounds: 30,
    cohort: { minimum: 4, target: 8 },
    bits: 16,
    rotation: false,
    ring: 'full',
    clipNorm: 5,
    clipRange: 0.5,
    weightCap: 10_000,
    deadlines: {
      advertMs: 5000,
      shareMs: 10_000,
      trainMs: 60_000,
      consistencyMs: 10_000,
      unmaskMs: 10_000,
      confirmMs: 10_000,
    },
  },
  security: { mode: 'active', admission: 'link', names: [] },
  evaluation: { validationFraction: 0.1 },
  seed: 1,
};

export const spiralPlan: Plan = {
  ...plan,
  name: 'Two spirals, non-IID',
  description: 'A small task whose labels are dealt out unevenly; a round takes less than a second.',
  model: { architecture: 'mlp', inputs: 2, hidden: [32, 32], outputs: 2, activation: 'tanh' },
  task: { kind: 'classification', classes: ['left', 'right'] },
  aggregation: { ...plan.aggregation, cohort: { minimum: 3, target: 4 }, rounds: 60 },
  security: { mode: 'honest-but-curious', admission: 'anyone', names: [] },
};

/** Nine people who are told by name; the first eight are in the fixtures' round. */
export const NAMES = [
  'Ada Lovelace',
  'Ben Okri',
  'Chen Jingrun',
  'Dorothy Vaughan',
  'Emmy Noether',
  'Farida',
  'Grace Hopper',
  'Hypatia of Alexandria',
  'Ingrid Daubechies',
] as const;

export const namedPlan: Plan = {
  ...plan,
  security: {
    mode: 'active',
    admission: 'named',
    names: NAMES.map((name, i) => ({ name, key: hex(50 + i, 64) })),
  },
};

export const groupedPlan: Plan = {
  ...plan,
  aggregation: { ...plan.aggregation, groupSize: 16, cohort: { minimum: 100, target: 200 } },
};

export const engine: EngineChoice = {
  engine: 'webgpu',
  adapter: 'nvidia ampere',
  samplesPerSecond: 41_230,
  measured: { atMs: Date.UTC(2026, 10, 21, 9, 30), machine: 'a browser', referenceMs: 40 },
  reason: 'WebGPU is 2.6 times as fast as the next, and its step agrees with the reference to 0.0003.',
  candidates: [
    {
      name: 'webgpu',
      adapter: 'nvidia ampere',
      usable: true,
      samplesPerSecond: 41_230,
      firstStepMs: 412,
      disagreement: 3e-4,
      reason: 'Agrees with the reference to 0.0003.',
    },
    {
      name: 'wasm',
      adapter: 'SIMD, 4 threads',
      usable: true,
      samplesPerSecond: 15_720,
      firstStepMs: 61,
      disagreement: 1e-6,
      reason: 'Agrees with the reference to 0.000001.',
    },
    {
      name: 'webgl',
      adapter: '',
      usable: false,
      samplesPerSecond: 0,
      firstStepMs: 0,
      disagreement: 0,
      reason: 'This browser gives no WebGL 2 context with float textures.',
    },
    {
      name: 'cpu',
      adapter: 'JavaScript',
      usable: true,
      samplesPerSecond: 1180,
      firstStepMs: 24,
      disagreement: 0,
      reason: 'The reference that the others are compared with.',
    },
  ],
};
