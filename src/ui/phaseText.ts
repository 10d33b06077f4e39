/** What a person can do about the phase that a run is in; a running round needs no word. */
import type { RunPhase, RunView } from '../core/runView.ts';
import type { Tone } from './notes.tsx';

export interface PhaseNote {
  readonly tone: Tone;
  readonly text: string;
}

interface Advice {
  readonly tone: Tone;
  readonly participant?: string;
  readonly coordinator?: string;
}

const ADVICE: Readonly<Record<RunPhase, Advice>> = {
  connecting: {
    tone: 'info',
    participant:
      'Nothing is trained yet. If this takes longer than a minute, ask whoever sent the link whether their tab is open.',
    coordinator:
      'Nobody can join before the server is reached. If this takes longer than a minute, check the connection.',
  },
  preparing: {
    tone: 'info',
    participant: 'Plan, model and ledger are checked before anything is trained. You need not do anything.',
  },
  choosing: {
    tone: 'info',
    participant:
      'Choose them below. They are read in this tab and sent nowhere; you see what will be trained before it is.',
  },
  waiting: { tone: 'info', participant: 'Keep this tab open; the round starts by itself.' },
  running: { tone: 'info' },
  paused: {
    tone: 'warn',
    participant:
      'Nothing is trained or sent until you resume. A pause past the step’s deadline counts as leaving this round; you enter again at a coming one.',
    coordinator: 'No new step begins until you resume. People keep their place while their tabs are open.',
  },
  finished: {
    tone: 'good',
    participant: 'Save the model if you want it, then close the tab.',
    coordinator:
      'Save the model; ledger, plan and metrics let others check it. All are kept in this browser until you forget them.',
  },
  left: {
    tone: 'info',
    participant:
      'Nothing more leaves this tab. What was summed before stays in the model. Join again whenever you like.',
    coordinator: 'The federation is kept in this browser. Resume it here or from Home.',
  },
  'coordinator-away': {
    tone: 'warn',
    participant:
      'Keep this tab open: your data and the last model are kept, and the run goes on when the coordinator comes back.',
  },
  refused: { tone: 'bad', participant: 'This is final for this link; close the tab.' },
  failed: {
    tone: 'bad',
    participant: 'Nothing more leaves this tab. Join again to go on.',
    coordinator: 'The rounds so far are kept in this browser. Resume to go on.',
  },
};

export function peopleHere(view: RunView): number {
  return view.people.filter((person) => person.state !== 'left').length;
}

export function phaseNote(view: RunView): PhaseNote | undefined {
  const advice = ADVICE[view.phase];
  const text = view.role === 'coordinator' && view.phase === 'waiting' ? waitingForPeople(view) : advice[view.role];
  return text === undefined ? undefined : { tone: advice.tone, text };
}

function waitingForPeople(view: RunView): string {
  const { plan } = view;
  if (!plan) return 'Share the link.';
  const { minimum, target } = plan.aggregation.cohort;
  const short = minimum - peopleHere(view);
  const now =
    short > 0 ? `With ${short} more you can start without the rest.` : 'You can start now with those who are here.';
  return `Share the link. The round starts by itself when ${target} people are here. ${now}`;
}
