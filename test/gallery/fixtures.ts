/** Made-up figures of a run in the middle, for the screen gallery and the screens' tests. */
import type { Counts } from '../../src/core/counts.ts';
import type { FederationId } from '../../src/core/ids.ts';
import type { MeasuredPoint, PersonState, PersonView, RunPhase, RunView } from '../../src/core/runView.ts';
import { engine, hash, hex, participant, plan } from './fixturePlans.ts';

/** `states` in the order of the people; the first is you where `you` is set. */
export function people(states: readonly PersonState[], you: boolean): readonly PersonView[] {
  return states.map((state, i) => ({
    id: participant(i),
    you: you && i === 0,
    name: undefined,
    group: undefined,
    state,
    inRound: true,
    engine: i % 4 === 2 ? 'wasm' : 'webgpu',
    fraction: state === 'training' ? 0.8 : state === 'sending' ? 0.64 : undefined,
    samples: ['left', 'joining'].includes(state) ? undefined : 1000 - (i % 3) * 10,
    bytesSent: ['masked', 'agreed', 'unmasked', 'confirmed'].includes(state)
      ? 241_900
      : state === 'sending'
        ? 154_000
        : 0,
  }));
}

export function curve(rounds: number): readonly MeasuredPoint[] {
  return Array.from({ length: rounds + 1 }, (_, round) => {
    const rest = Math.exp(-round / 3.2);
    const testAccuracy = 0.952 - 0.84 * rest;
    const validationAccuracy = 0.947 - 0.842 * rest - 0.006 * (round % 3);
    return {
      round,
      metric: 'accuracy',
      testMetric: testAccuracy,
      testAccuracy,
      testLoss: 0.162 + 2.14 * rest,
      testCounts: confusion(10, 100, testAccuracy),
      validationMetric: validationAccuracy,
      validationAccuracy,
      validationLoss: 0.181 + 2.12 * rest + 0.012 * (round % 3),
      validationCounts: confusion(10, 80, validationAccuracy),
      trainingLoss: 0.094 + 2.2 * rest,
      people: 8,
      samples: 1000,
      validationSamples: 800,
    };
  });
}

/** Of `each` samples a class; what is missed is taken for the classes that follow, for the next ones most often. */
export function confusion(classes: number, each: number, accuracy: number): Counts {
  const cells = Array<number>(classes * classes).fill(0);
  for (let actual = 0; actual < classes; actual++) {
    const hits = Math.round(each * Math.max(0, accuracy - 0.02 * (actual % 3)));
    cells[actual * classes + actual] = hits;
    let missed = each - hits;
    for (let next = 1; missed > 0; next = (next % (classes - 1)) + 1) {
      const taken = Math.ceil(missed / 2);
      cells[actual * classes + ((actual + next) % classes)]! += taken;
      missed -= taken;
    }
  }
  return { kind: 'classes', cells };
}

export const NOW = Date.UTC(2026, 10, 23, 14, 3, 22);

const events: RunView['events'] = [
  { atMs: NOW - 44_000, kind: 'info', text: 'Round 11 began with 8 people.' },
  { atMs: NOW - 41_000, kind: 'good', text: 'Round 11: the sum of 8 updates is unmasked and confirmed by 8.' },
  { atMs: NOW - 38_000, kind: 'info', text: 'Round 12 began with 8 people.' },
  {
    atMs: NOW - 30_000,
    kind: 'warn',
    text: `${participant(7).slice(0, 8)} closed its tab; its masks are taken out at the end.`,
  },
  { atMs: NOW - 12_000, kind: 'bad', text: 'A message with a wrong signature was dropped.' },
];

const MIDDLE: readonly PersonState[] = [
  'masked',
  'masked',
  'masked',
  'masked',
  'masked',
  'sending',
  'training',
  'left',
];

/** Round 12 of 30 in the middle: 5 of 8 masked updates are there, one tab is closed. */
export const running: RunView = {
  role: 'participant',
  federation: hex(3, 32) as FederationId,
  planHash: hash(1),
  plan,
  you: participant(0),
  phase: 'running',
  sentence: 'Round 12 of 30.',
  waiting: { for: '2 of 8 masked updates', untilMs: NOW + 9000 },
  round: {
    number: 12,
    completed: 11,
    of: 30,
    kind: 'train',
    step: 'masked',
    stepFraction: 0.63,
    size: 8,
    threshold: 6,
    groups: 1,
    lostGroups: 0,
    masked: 5,
    unmasked: false,
  },
  people: people(MIDDLE, true),
  statistics: undefined,
  curve: curve(11),
  own: { round: 11, part: 'validation', metric: { name: 'accuracy', value: 0.931 }, loss: 0.2134, samples: 100 },
  secondsPerRound: 3.42,
  trainSecondsPerRound: 0.8,
  bytesUp: 2_660_000,
  bytesDown: 5_120_000,
  bytesUpPerRound: 244_300,
  bytesDownPerRound: 431_000,
  engine,
  modelHash: hash(2),
  parameters: 101_770,
  ledger: { records: 11, abandoned: 1, head: hash(4) },
  group: { index: 0, of: 1, members: 8, names: [] },
  anonymitySet: 7,
  knownColluders: 0,
  culprits: [],
  refusals: [
    { reason: 'codec/signature', count: 1 },
    { reason: 'round/unexpected-masked', count: 3 },
  ],
  glimpse: {
    stays: [0.0031, -0.012, 0.0007, -0.0044, 0.0098, -0.0001, 0.0152, -0.0033, 0.006],
    sent: ['9e104', '7f23a', 'bc085', '1de77', '0b6a9', '42f3d', '1c88e', '610f5', 'a39b0'],
  },
  events,
  problem: undefined,
  inviteLink: undefined,
  startedMs: NOW - 60_000,
};

export const coordinating: RunView = {
  ...running,
  role: 'coordinator',
  you: undefined,
  people: people(MIDDLE, false),
  group: undefined,
  own: undefined,
  engine: undefined,
  glimpse: undefined,
  inviteLink: `https://train.example.org/#join=${hex(9, 300)}`,
};

/** Nothing has happened yet in `phase`. */
export function before(view: RunView, phase: RunPhase, sentence: string): RunView {
  return {
    ...view,
    phase,
    sentence,
    waiting: undefined,
    round: undefined,
    people: [],
    curve: [],
    own: undefined,
    secondsPerRound: undefined,
    bytesUp: 2100,
    bytesDown: 340,
    bytesUpPerRound: undefined,
    bytesDownPerRound: undefined,
    modelHash: undefined,
    ledger: { records: 0, abandoned: 0, head: undefined },
    group: undefined,
    anonymitySet: undefined,
    refusals: [],
    glimpse: undefined,
    events: events.slice(0, 1),
  };
}
