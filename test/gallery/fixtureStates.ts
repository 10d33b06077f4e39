/** A run in every state, seen from either side. */
import type { PersonState, PersonView, RunView } from '../../src/core/runView.ts';
import { NOW, before, coordinating, curve, people, running } from './fixtures.ts';
import { metricStates, stoppedEarly } from './fixtureMetrics.ts';
import { NAMES, groupedPlan, hash, namedPlan, participant, plan } from './fixturePlans.ts';

const round12 = running.round;
if (!round12) throw new Error('the fixture has a round');

function at(
  view: RunView,
  states: readonly PersonState[],
  round: Partial<typeof round12>,
  more: Partial<RunView> = {},
): RunView {
  return { ...view, people: people(states, view.role === 'participant'), round: { ...round12!, ...round }, ...more };
}

const someStatistics: RunView['statistics'] = {
  people: 8,
  examples: 8000,
  features: [
    { name: 'body mass (g)', count: 7981, mean: 4201.75, variance: 643_131 },
    { name: 'bill length (mm)', count: 8000, mean: 43.9219, variance: 29.807 },
  ],
  tallies: [
    { name: 'species', names: ['Adelie', 'Chinstrap', 'Gentoo'], counts: [3512, 1588, 2900], minimumSupport: 0 },
    {
      name: 'town',
      names: undefined,
      counts: Array.from({ length: 32 }, (_, i) => (i % 5 === 3 ? 0 : 40 + ((i * 97) % 400))),
      minimumSupport: 10,
    },
  ],
};

const eight = (state: PersonState): readonly PersonState[] => Array.from({ length: 8 }, () => state);
const MANY: readonly PersonState[] = Array.from({ length: 200 }, (_, i) =>
  i % 17 === 5 ? 'left' : i % 5 === 1 ? 'training' : i % 31 === 7 ? 'asleep' : 'masked',
);
const sentMany = MANY.filter((state) => state === 'masked').length;

/** The people of the named plan, you among them. */
function byName(of: readonly PersonView[]): readonly PersonView[] {
  return of.map((person, i) => ({ ...person, name: NAMES[i] }));
}

/** 200 people in 12 groups, of which one is lost. */
function inGroups(of: readonly PersonView[]): readonly PersonView[] {
  return of.map((person, i) => ({ ...person, group: i % 12 }));
}

export const participantStates: Readonly<Record<string, RunView>> = {
  connecting: {
    ...before(running, 'connecting', 'Reaching the coordinator.'),
    plan: undefined,
    engine: undefined,
    planHash: hash(1),
    parameters: undefined,
  },
  preparing: {
    ...before(running, 'preparing', 'Checking the plan, the model and 11 records.'),
    waiting: { for: 'the training data, 6.1 MB', untilMs: undefined },
  },
  waiting: {
    ...before(running, 'waiting', 'Ready.'),
    people: people(['ready', 'ready', 'joining'], true),
    waiting: { for: '5 more people', untilMs: undefined },
  },
  keys: at(
    running,
    eight('ready'),
    { step: 'keys', stepFraction: 0.5, masked: 0 },
    { sentence: 'Round 12 of 30.', waiting: { for: 'keys of 4 people', untilMs: NOW + 4000 } },
  ),
  training: at(
    running,
    eight('training'),
    { step: 'train', stepFraction: 0.8, masked: 0 },
    { waiting: { for: '8 of 8 masked updates', untilMs: NOW + 64_000 } },
  ),
  running,
  ...metricStates,
  named: {
    ...running,
    plan: namedPlan,
    people: byName(running.people),
    group: { index: 0, of: 1, members: 8, names: NAMES.slice(1, 8) },
  },
  grouped: at(
    running,
    Array.from({ length: 17 }, (_, i) => (i % 5 === 3 ? 'training' : 'masked')),
    { size: 17, threshold: 12, masked: 14, groups: 12 },
    { plan: groupedPlan, group: { index: 4, of: 12, members: 17, names: [] }, anonymitySet: 14 },
  ),
  unmasked: at(
    running,
    [...eight('confirmed').slice(0, 7), 'left'],
    { step: 'confirm', stepFraction: 0.9, masked: 7, unmasked: true },
    { waiting: { for: '1 of 7 confirmations', untilMs: NOW + 3000 } },
  ),
  counting: at(
    running,
    eight('training'),
    { number: 1, step: 'train', kind: 'statistics', stepFraction: 0.5, masked: 0, completed: 0 },
    { sentence: 'Adding up statistics of the data.', curve: [] },
  ),
  counted: { ...running, statistics: someStatistics },
  evaluating: at(
    running,
    eight('training'),
    { step: 'train', kind: 'evaluate', stepFraction: 0.3, masked: 0, completed: 30 },
    { sentence: 'Measuring the model after 30 rounds.', curve: curve(29) },
  ),
  paused: { ...running, phase: 'paused', sentence: 'Paused in round 12 of 30.', waiting: undefined },
  finished: at(
    running,
    eight('confirmed'),
    { number: 31, completed: 30, masked: 8, step: 'confirm', stepFraction: 1, unmasked: true },
    {
      phase: 'finished',
      sentence: 'All 30 rounds are done: test accuracy 95.2 %.',
      waiting: undefined,
      curve: curve(30),
    },
  ),
  left: {
    ...running,
    phase: 'left',
    sentence: 'You left after round 11.',
    waiting: undefined,
    round: undefined,
    people: [],
  },
  'coordinator-away': {
    ...running,
    phase: 'coordinator-away',
    sentence: 'The coordinator cannot be reached.',
    waiting: { for: 'the coordinator', untilMs: undefined },
  },
  refused: {
    ...before(running, 'refused', 'The coordinator is not the one that the link names.'),
    plan: undefined,
    engine: undefined,
    problem: {
      code: 'join/wrong-key',
      message: 'The coordinator’s key is 1c4f 77a0…, expected 9b2e 03d1…',
      advice: 'Do not go on; ask the person who sent the link.',
    },
  },
  failed: {
    ...running,
    phase: 'failed',
    sentence: 'Training stopped in round 12.',
    waiting: undefined,
    problem: {
      code: 'engine/lost',
      message: 'The graphics device was lost in round 12.',
      advice: 'Join again; this tab then measures the engines anew.',
    },
  },
};

export const coordinatorStates: Readonly<Record<string, RunView>> = {
  connecting: before(coordinating, 'connecting', 'Reaching the server.'),
  empty: { ...before(coordinating, 'waiting', 'Open for people.'), waiting: { for: '8 people', untilMs: undefined } },
  waiting: {
    ...before(coordinating, 'waiting', 'Open for people.'),
    people: people(['ready', 'ready', 'ready', 'ready', 'joining'], false),
    waiting: { for: '3 more people', untilMs: undefined },
  },
  running: coordinating,
  'stopped-early': stoppedEarly,
  many: at(
    coordinating,
    MANY,
    { size: 200, threshold: 134, masked: sentMany },
    {
      plan: { ...plan, aggregation: { ...plan.aggregation, cohort: { minimum: 100, target: 200 } } },
      waiting: { for: `${200 - sentMany} of 200 masked updates`, untilMs: NOW + 22_000 },
    },
  ),
  named: {
    ...coordinating,
    plan: namedPlan,
    people: byName(coordinating.people),
    culprits: [
      { id: participant(31), name: 'Ingrid Daubechies' },
      { id: participant(32), name: undefined },
    ],
  },
  grouped: {
    ...coordinating,
    plan: groupedPlan,
    people: inGroups(people(MANY, false)),
    round: { ...round12, size: 184, threshold: 9, groups: 12, lostGroups: 1, masked: sentMany },
    anonymitySet: 11,
    refusals: [
      { reason: 'advert/not-named', count: 2 },
      { reason: 'roster/duplicate', count: 1 },
      { reason: 'round/share', count: 1 },
      { reason: 'codec/size', count: 12 },
    ],
  },
  three: at(
    coordinating,
    ['masked', 'masked', 'sending'],
    { size: 3, threshold: 3, masked: 2 },
    { plan: { ...plan, aggregation: { ...plan.aggregation, cohort: { minimum: 3, target: 3 } } } },
  ),
  paused: { ...coordinating, phase: 'paused', sentence: 'Paused in round 12 of 30.', waiting: undefined },
  finished: at(
    coordinating,
    eight('confirmed'),
    { number: 31, completed: 30, masked: 8, step: 'confirm', stepFraction: 1, unmasked: true },
    {
      phase: 'finished',
      sentence: 'All 30 rounds are done: test accuracy 95.2 %.',
      waiting: undefined,
      curve: curve(30),
    },
  ),
  left: {
    ...coordinating,
    phase: 'left',
    sentence: 'Stopped after round 11.',
    waiting: undefined,
    round: undefined,
    people: [],
  },
  failed: {
    ...coordinating,
    phase: 'failed',
    sentence: 'The model of round 12 could not be stored.',
    waiting: undefined,
    problem: {
      code: 'store/full',
      message: 'The browser’s storage is full: 1.2 MB were to be written.',
      advice: 'Free some space, then resume from Home.',
    },
  },
};

/** What the participant in seat `index` of the trial sees, and the coordinator at index -1. */
export function trialView(index: number): RunView {
  const states: readonly PersonState[] = ['masked', 'masked', 'training', 'sending'];
  const seats = people(states, false).map((person, i) => ({ ...person, you: i === index }));
  const base = index < 0 ? { ...coordinating, inviteLink: undefined } : { ...running, you: participant(index) };
  return {
    ...base,
    plan: { ...plan, aggregation: { ...plan.aggregation, cohort: { minimum: 3, target: 4 } } },
    people: seats,
    round: { ...round12!, size: 4, threshold: 3, masked: 2 },
    waiting: { for: '2 of 4 masked updates', untilMs: NOW + 9000 },
    group: index < 0 ? undefined : { index: 0, of: 1, members: 4, names: [] },
    anonymitySet: 2,
    knownColluders: 1,
  };
}
