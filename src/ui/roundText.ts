/** The round's picture in words: what a person who cannot see it is told. */
import type { PersonView, RunView } from '../core/runView.ts';
import { count, quantity } from './format.ts';
import { byGroup, hasMasks, hasSent, peopleOnCircle, personName, stateWords } from './personState.ts';
import { MAX_LABELS } from './roundGeometry.ts';

export interface RoundText {
  readonly summary: string;
  /** One line a person, or, for many, one line a state. */
  readonly lines: readonly string[];
}

/** What the centre counts. */
export function centre(view: RunView): { readonly figure: string; readonly label: string } {
  const { round, plan, people, phase } = view;
  if (phase === 'finished' && round) return { figure: `${round.completed} / ${round.of}`, label: 'rounds' };
  if (!round) {
    const here = people.filter((person) => person.state !== 'left').length;
    const target = plan?.aggregation.cohort.target;
    return { figure: target === undefined ? count(here) : `${here} / ${target}`, label: 'here' };
  }
  return { figure: `${round.masked} / ${round.size}`, label: round.unmasked ? 'summed' : 'masked' };
}

export function roundText(view: RunView): RoundText {
  const people = peopleOnCircle(view);
  const named = people.length <= MAX_LABELS;
  const states = new Map<string, number>();
  for (const words of people.map(stateWords)) states.set(words, (states.get(words) ?? 0) + 1);
  const lines = named
    ? people.map((person) => `${personName(person)}: ${stateWords(person)}`)
    : [...states].map(([words, those]) => `${quantity(those, 'person', 'people')}: ${words}`);
  return { summary: `${summary(view)} ${masks(view)}`.trim(), lines };
}

function summary(view: RunView): string {
  const { round } = view;
  if (view.phase === 'finished' && round) {
    const early = `Stopped early, after ${round.completed} of ${round.of} rounds.`;
    return round.completed < round.of ? early : `All ${round.of} rounds are done.`;
  }
  const { figure } = centre(view);
  if (!round) return `No round yet. ${figure.replace(' / ', ' of ')} people are here.`;
  const done = `${round.masked} of ${round.size} masked updates`;
  if (round.unmasked) return `Round ${round.number}: the sum of ${done} is unmasked.`;
  return `Round ${round.number}, step “${round.step}”: ${done} have arrived, ${round.threshold} are needed.`;
}

function masks(view: RunView): string {
  const { round } = view;
  if (!round || round.unmasked || view.phase === 'finished') return '';
  const holders = peopleOnCircle(view).filter(hasMasks);
  const pairs = (people: readonly PersonView[]): number =>
    byGroup(people).reduce((sum, { length: n }) => sum + (n * (n - 1)) / 2, 0);
  const total = pairs(holders);
  if (total === 0) return '';
  const within = round.groups > 1 && view.role === 'coordinator' ? ` within ${count(round.groups)} groups` : '';
  return `${quantity(total, 'pairwise mask', 'pairwise masks')}${within}, ${count(pairs(holders.filter(hasSent)))} of them with both ends sent.`;
}
