/** The states of a person in a round: in words, as a shape, and what they mean for the picture. */
import type { PersonState, PersonView, RunView } from '../core/runView.ts';
import { percent, shortHash } from './format.ts';

/** Colour never says it alone: each kind has a shape of its own. */
export type StateShape = 'idle' | 'busy' | 'done' | 'asleep' | 'gone';

const STATES: Readonly<Record<PersonState, { readonly shape: StateShape; readonly words: string }>> = {
  joining: { shape: 'idle', words: 'joining' },
  ready: { shape: 'idle', words: 'ready' },
  waiting: { shape: 'idle', words: 'waiting' },
  sharing: { shape: 'busy', words: 'sharing keys' },
  training: { shape: 'busy', words: 'training' },
  sending: { shape: 'busy', words: 'sending' },
  masked: { shape: 'done', words: 'masked, sent' },
  agreed: { shape: 'done', words: 'agreed on who is in' },
  unmasked: { shape: 'done', words: 'unmask shares sent' },
  confirmed: { shape: 'done', words: 'confirmed' },
  asleep: { shape: 'asleep', words: 'asleep' },
  left: { shape: 'gone', words: 'left' },
};

export function stateShape(state: PersonState): StateShape {
  return STATES[state].shape;
}

export function stateWords(person: PersonView): string {
  const { shape, words } = STATES[person.state];
  if (!person.inRound && shape !== 'gone') return `${words}, enters at a coming round`;
  return shape === 'busy' && person.fraction !== undefined ? `${words}, ${percent(person.fraction, 0)}` : words;
}

export function personName(person: PersonView): string {
  return person.you ? 'You' : (person.name ?? shortHash(person.id));
}

/** Who stands on the circle: the round's roster, or, before there is one, everybody who is here. You first. */
export function peopleOnCircle(view: RunView): readonly PersonView[] {
  const shown = view.people.filter((person) => (view.round ? person.inRound : person.state !== 'left'));
  return shown.sort(
    (a, b) => Number(b.you) - Number(a.you) || (a.group ?? 0) - (b.group ?? 0) || (a.id < b.id ? -1 : 1),
  );
}

/** The same people by group, in which alone there are masks between them. */
export function byGroup<T extends Pick<PersonView, 'group'>>(people: readonly T[]): readonly (readonly T[])[] {
  const groups = new Map<number, T[]>();
  for (const person of people) {
    const index = person.group ?? 0;
    const those = groups.get(index);
    if (those) those.push(person);
    else groups.set(index, [person]);
  }
  return [...groups.values()];
}

/** The masked update of this person has arrived. */
export function hasSent(person: PersonView): boolean {
  return stateShape(person.state) === 'done';
}

/** Has a pairwise mask with everyone else of the round: a tab that closed no longer does. */
export function hasMasks(person: PersonView): boolean {
  return !['joining', 'ready', 'waiting', 'left'].includes(person.state);
}
