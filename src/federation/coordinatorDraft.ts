/** A coordinator's transition in the making: the next state and the effects so far. */
import type { ParticipantId, RoundNumber } from '../core/ids.ts';
import type { EventView } from '../core/runView.ts';
import type { CoordinatorGroup, CoordinatorRound, CoordinatorStep, GroupStep } from './coordinatorRounds.ts';
import { countPreparing } from './coordinatorState.ts';
import type { CoordinatorEffect, CoordinatorState, CoordinatorTasks, Session, Unsealed } from './coordinatorState.ts';
import type { Transition } from './machine.ts';
import type { Body, Dealing, Message, MessageType } from './messages.ts';
import { quorum } from './roster.ts';

const FIRST_REST_MS = 500;
const MAX_REST_MS = 30_000;

/** Rounds stand in one of two places: `upcoming` while keys are exchanged, `current` from training on. */
type Place = 'current' | 'upcoming';

/** A group together with the round that it is of. */
export interface GroupAt {
  readonly round: CoordinatorRound;
  readonly group: CoordinatorGroup;
}

export class CoordinatorDraft {
  state: CoordinatorState;
  readonly nowMs: number;
  readonly #effects: CoordinatorEffect[] = [];
  /** Groups that changed, and so may be ready for their next step: no others need to be looked at. */
  readonly #touched = new Map<string, { readonly number: RoundNumber; readonly index: number }>();

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

  /** The group of that number, if it stands at one of `steps`. */
  groupAt(number: RoundNumber, index: number, ...steps: readonly GroupStep[]): GroupAt | undefined {
    const place = this.#placeOf(number);
    const round = place && this.state[place];
    const group = round?.groups[index];
    if (round === undefined || group === undefined || round.step === 'abandoned') return undefined;
    return steps.includes(group.step) ? { round, group } : undefined;
  }

  /** The group that `id` is in, if it stands at one of `steps`. */
  groupOf(number: RoundNumber, id: ParticipantId, ...steps: readonly GroupStep[]): GroupAt | undefined {
    const place = this.#placeOf(number);
    const index = place && this.state[place]?.groupOf.get(id);
    return index === undefined ? undefined : this.groupAt(number, index, ...steps);
  }

  patchGroup(number: RoundNumber, index: number, change: Partial<Omit<CoordinatorGroup, 'index'>>): void {
    const place = this.#placeOf(number);
    const groups = place && this.state[place]?.groups;
    const group = groups?.[index];
    if (groups === undefined || group === undefined) return;
    this.patchRound(number, { groups: groups.with(index, { ...group, ...change }) });
    this.#touched.set(groupTimer(number, index), { number, index });
  }

  /** Moves a group on; `limitMs` as in `move`. */
  moveGroup(number: RoundNumber, index: number, step: GroupStep, limitMs: number | undefined): void {
    const name = groupTimer(number, index);
    this.effect({ effect: 'cancel-timer', name });
    const untilMs = limitMs === undefined ? undefined : this.nowMs + limitMs;
    this.patchGroup(number, index, { step, stepSinceMs: this.nowMs, untilMs });
    if (limitMs !== undefined) this.effect({ effect: 'timer', name, delayMs: limitMs });
  }

  /** Groups that changed since this was asked last. */
  takeTouched(): readonly { readonly number: RoundNumber; readonly index: number }[] {
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    return touched;
  }

  session(id: ParticipantId): Session | undefined {
    return this.state.sessions.get(id);
  }

  patchSession(id: ParticipantId, change: Partial<Session>): void {
    const session = this.session(id);
    if (session === undefined) return;
    const after = { ...session, ...change };
    const { sessions, preparing } = this.state;
    this.patch({
      sessions: sessions.set(id, after),
      preparing: preparing - countPreparing(session) + countPreparing(after),
    });
  }

  /** Sessions that a call goes to. */
  eligible(): readonly Session[] {
    const { sessions, excluded } = this.state;
    return sessions
      .values()
      .filter((session) => session.phase !== 'paused' && this.isReady(session) && !excluded.includes(session.id));
  }

  /**
   * Who has yet to choose files of its own is not called: it would not answer. Nor is, for the first round, who has yet to
   * choose an engine: all do that at once, and would spend the time for training on it. Who comes later gets ready while the
   * others train.
   */
  get waitsForReady(): boolean {
    const { plan, current } = this.state;
    return plan.data.kind !== 'public' || current === undefined;
  }

  isReady({ phase }: Session): boolean {
    return phase !== 'preparing' || !this.waitsForReady;
  }

  /** At least this many must take part at all. */
  get minimum(): number {
    return Math.max(this.state.plan.aggregation.cohort.minimum, 3);
  }

  /** Those of `ids` who have not answered and still may. */
  awaited(group: CoordinatorGroup, ids: readonly ParticipantId[], answered: object): readonly ParticipantId[] {
    return ids.filter(
      (id) => !Object.hasOwn(answered, id) && !group.absent.includes(id) && this.session(id) !== undefined,
    );
  }

  quorumOf(group: CoordinatorGroup): number {
    return quorum(this.state.plan, group.roster.members.length);
  }

  sendTo<Type extends MessageType>(
    ids: readonly ParticipantId[] | 'all',
    type: Type,
    round: RoundNumber,
    body: Body<Type>,
  ): void {
    const { sessions } = this.state;
    const chosen = ids === 'all' ? sessions.values() : ids.flatMap((id) => sessions.get(id) ?? []);
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
    of: { readonly about?: ParticipantId; readonly group?: number } = {},
  ): void {
    this.effect({ effect: 'task', task, round, input, ...of } as CoordinatorEffect);
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

  /** A member that is not waited for any more. */
  absent(number: RoundNumber, { index, absent }: CoordinatorGroup, id: ParticipantId): void {
    if (!absent.includes(id)) this.patchGroup(number, index, { absent: [...absent, id] });
  }

  /** A group's sum is lost; the others go on. */
  lose(number: RoundNumber, group: CoordinatorGroup, reason: string): void {
    // As long as a record may hold; what went wrong is told in the log in full.
    this.patchGroup(number, group.index, { lost: reason.slice(0, 200) || 'given up' });
    this.moveGroup(number, group.index, 'lost', undefined);
    const place = group.roster.place;
    if (place === undefined) return;
    this.log(`Round ${number}: group ${place.index + 1} of ${place.groups} was given up: ${reason}`, 'warn');
    const ids = group.roster.members.map(({ id }) => id);
    this.sendTo(ids, 'abandon', number, { reason: `Your group was given up: ${reason}`.slice(0, 200) });
  }

  /** Gives a round up; its record follows once those before it are written. */
  abandon(round: CoordinatorRound, reason: string): void {
    const participants = membersOf(round);
    const { spent } = round;
    const entry = { round: round.number, participants, reason: reason.slice(0, 200) || 'given up', spent };
    this.patch({ unsealed: [...this.state.unsealed, entry] });
    for (const { index } of round.groups)
      this.effect({ effect: 'cancel-timer', name: groupTimer(round.number, index) });
    this.restBeforeNext();
    this.move(round.number, 'abandoned', undefined);
    this.log(`Round ${round.number} was given up: ${reason}`, 'warn');
  }
}

/** U1 as everyone gets it, by id. */
export function dealingsOf(group: CoordinatorGroup): Dealing[] {
  return group.u1.flatMap((id): Dealing[] => {
    const share = group.shares[id];
    return share === undefined ? [] : [[id, share.shareRoot, share.seedCommitment, share.signature]];
  });
}

/** [id, key] of everyone on the group's roster. */
export function participantsOf({ roster }: CoordinatorGroup): [ParticipantId, Unsealed['participants'][number][1]][] {
  return roster.members.map(({ id, publicKey }) => [id, publicKey]);
}

/** [id, key] of everyone in the round, by id. */
export function membersOf({ groups }: CoordinatorRound): Unsealed['participants'] {
  const all = groups.flatMap(participantsOf);
  return groups.length === 1 ? all : all.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

export function isOver(round: CoordinatorRound | undefined): boolean {
  return round === undefined || round.step === 'done' || round.step === 'abandoned';
}

export function stepTimer(round: RoundNumber): string {
  return `step ${round}`;
}

export function groupTimer(round: RoundNumber, group: number): string {
  return `step ${round} ${group}`;
}
