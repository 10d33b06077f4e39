/** A coordinator's transition in the making: the next state and the effects so far. */
import type { ChannelId, ParticipantId, RoundNumber } from '../core/ids.ts';
import type { EventView } from '../core/runView.ts';
import type {
  CoordinatorEffect,
  CoordinatorRound,
  CoordinatorState,
  CoordinatorStep,
  CoordinatorTasks,
  Session,
  Unsealed,
} from './coordinatorState.ts';
import type { Transition } from './machine.ts';
import type { Body, Dealing, Message, MessageType } from './messages.ts';
import { quorum } from './roster.ts';

const FIRST_REST_MS = 500;
const MAX_REST_MS = 30_000;

/** Rounds stand in one of two places: `upcoming` while keys are exchanged, `current` from training on. */
type Place = 'current' | 'upcoming';

export class CoordinatorDraft {
  state: CoordinatorState;
  readonly nowMs: number;
  readonly #effects: CoordinatorEffect[] = [];

  constructor(state: CoordinatorState, nowMs: number) {
    this.state = state;
    this.nowMs = nowMs;
  }

  finish(): Transition<CoordinatorState, CoordinatorEffect> {
    return { state: this.state, effects: this.#effects };
  }

  patch(change: Partial<CoordinatorState>): void {
    this.state = { ...this.state, ...change };
  }

  effect(effect: CoordinatorEffect): void {
    this.#effects.push(effect);
  }

  /** The round of that number, if it stands at one of `steps`. */
  roundAt(number: RoundNumber, ...steps: readonly CoordinatorStep[]): CoordinatorRound | undefined {
    const place = this.#placeOf(number);
    const round = place && this.state[place];
    return round !== undefined && steps.includes(round.step) ? round : undefined;
  }

  #placeOf(number: RoundNumber): Place | undefined {
    if (this.state.current?.number === number) return 'current';
    return this.state.upcoming?.number === number ? 'upcoming' : undefined;
  }

  patchRound(number: RoundNumber, change: Partial<Omit<CoordinatorRound, 'number' | 'step'>>): void {
    const place = this.#placeOf(number);
    const round = place && this.state[place];
    if (place !== undefined && round !== undefined) this.patch({ [place]: { ...round, ...change } });
  }

  /** Moves a round on; `limitMs` sets the timer that ends the step, undefined leaves it without. */
  move(number: RoundNumber, step: CoordinatorStep, limitMs: number | undefined): void {
    const place = this.#placeOf(number);
    const round = place && this.state[place];
    if (place === undefined || round === undefined) return;
    this.effect({ effect: 'cancel-timer', name: stepTimer(number) });
    const untilMs = limitMs === undefined ? undefined : this.nowMs + limitMs;
    this.patch({ [place]: { ...round, step, stepSinceMs: this.nowMs, untilMs } });
    if (limitMs !== undefined) this.effect({ effect: 'timer', name: stepTimer(number), delayMs: limitMs });
  }

  session(id: ParticipantId): Session | undefined {
    return Object.values(this.state.sessions).find((session) => session.id === id);
  }

  patchSession(channel: ChannelId, change: Partial<Session>): void {
    const session = this.state.sessions[channel];
    if (session === undefined) return;
    this.patch({ sessions: { ...this.state.sessions, [channel]: { ...session, ...change } } });
  }

  /** Sessions that a call goes to. */
  eligible(): readonly Session[] {
    return Object.values(this.state.sessions).filter(
      (session) => session.phase !== 'paused' && !this.state.excluded.includes(session.id),
    );
  }

  /** At least this many must take part at all. */
  get minimum(): number {
    return Math.max(this.state.plan.aggregation.cohort.minimum, 3);
  }

  /** Those of `members` who have not answered and still may. */
  awaited(round: CoordinatorRound, members: readonly ParticipantId[], answered: object): readonly ParticipantId[] {
    return members.filter(
      (id) => !Object.hasOwn(answered, id) && !round.absent.includes(id) && this.session(id) !== undefined,
    );
  }

  quorumOf(round: CoordinatorRound): number {
    return quorum(this.state.plan, round.roster?.members.length ?? 0);
  }

  sendTo<Type extends MessageType>(
    ids: readonly ParticipantId[] | 'all',
    type: Type,
    round: RoundNumber,
    body: Body<Type>,
  ): void {
    const sessions = Object.values(this.state.sessions);
    const chosen = ids === 'all' ? sessions : sessions.filter((session) => ids.includes(session.id));
    if (chosen.length === 0) return;
    this.effect({
      effect: 'send',
      to: chosen.map((session) => session.channel),
      message: { type, round, body } as Message,
    });
  }

  task<Name extends keyof CoordinatorTasks>(
    task: Name,
    round: RoundNumber,
    input: CoordinatorTasks[Name]['input'],
    about?: ParticipantId,
  ): void {
    this.effect({ effect: 'task', task, round, input, ...(about === undefined ? {} : { about }) } as CoordinatorEffect);
  }

  /** Rounds that fail one after the other must not fill the ledger: each waits twice as long as the one before. */
  restBeforeNext(): void {
    const failures = this.state.failures + 1;
    const restMs = failures < 2 ? 0 : Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** (failures - 2));
    this.patch({ failures, nextCallMs: this.nowMs + restMs });
    if (restMs > 0) this.effect({ effect: 'timer', name: 'rest', delayMs: restMs });
  }

  log(text: string, kind: EventView['kind'] = 'info'): void {
    this.effect({ effect: 'log', text, kind });
  }

  refused(code: string, about: ParticipantId): void {
    this.effect({ effect: 'refused', code, about });
  }

  /** Gives a round up; its record follows once those before it are written. */
  abandon(round: CoordinatorRound, reason: string): void {
    const participants = membersOf(round);
    // As long as a record may hold; what went wrong is told in the log in full.
    const entry = { round: round.number, participants, reason: reason.slice(0, 200) || 'given up', spent: round.spent };
    this.patch({ unsealed: [...this.state.unsealed, entry] });
    this.restBeforeNext();
    this.move(round.number, 'abandoned', undefined);
    this.log(`Round ${round.number} was given up: ${reason}`, 'warn');
  }
}

/** U1 as everyone gets it, by id. */
export function dealingsOf(round: CoordinatorRound): Dealing[] {
  return round.u1.flatMap((id): Dealing[] => {
    const share = round.shares[id];
    return share === undefined ? [] : [[id, share.shareRoot, share.seedCommitment, share.signature]];
  });
}

/** [id, key] of everyone on the roster. */
export function membersOf(round: CoordinatorRound): Unsealed['participants'] {
  return (round.roster?.members ?? []).map(({ id, publicKey }) => [id, publicKey] as const);
}

export function isOver(round: CoordinatorRound | undefined): boolean {
  return round === undefined || round.step === 'done' || round.step === 'abandoned';
}

export function stepTimer(round: RoundNumber): string {
  return `step ${round}`;
}
