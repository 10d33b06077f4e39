/** A participant's transition in the making: the next state and the effects so far. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import type { EventView, RunPhase } from '../core/runView.ts';
import type { Transition } from './machine.ts';
import type { Body, Message, MessageType } from './messages.ts';
import type {
  ParticipantEffect,
  ParticipantRound,
  ParticipantState,
  ParticipantStep,
  ParticipantTasks,
} from './participantState.ts';

const OVER: readonly ParticipantStep[] = ['confirmed', 'done', 'dead'];

/** So many rounds that are over are remembered. */
const KEPT_ROUNDS = 4;

export class ParticipantDraft {
  state: ParticipantState;
  readonly nowMs: number;
  readonly #effects: ParticipantEffect[] = [];

  constructor(state: ParticipantState, nowMs: number) {
    this.state = state;
    this.nowMs = nowMs;
  }

  finish(): Transition<ParticipantState, ParticipantEffect> {
    return { state: this.state, effects: this.#effects };
  }

  /** @throws HushError `round/no-plan`: a bug, since nothing of a round is taken before the plan was read. */
  get plan(): Plan {
    if (this.state.plan === undefined) throw new HushError('round/no-plan', 'No plan yet.');
    return this.state.plan;
  }

  patch(change: Partial<ParticipantState>): void {
    this.state = { ...this.state, ...change };
  }

  round(number: RoundNumber): ParticipantRound | undefined {
    return this.state.rounds[number];
  }

  /** The round, if it stands at `step`. */
  roundAt(number: RoundNumber, ...steps: readonly ParticipantStep[]): ParticipantRound | undefined {
    const round = this.round(number);
    return round !== undefined && steps.includes(round.step) ? round : undefined;
  }

  patchRound(number: RoundNumber, change: Partial<Omit<ParticipantRound, 'number'>>): void {
    const before = this.round(number) ?? { number, step: 'advertised', stepSinceMs: this.nowMs };
    const moved = change.step !== undefined && change.step !== before.step;
    const after = { ...before, ...change, stepSinceMs: moved ? this.nowMs : before.stepSinceMs };
    const rounds = { ...this.state.rounds, [number]: after };
    const over = Object.values(rounds)
      .filter(({ step }) => OVER.includes(step))
      .sort((a, b) => b.number - a.number);
    for (const old of over.slice(KEPT_ROUNDS)) delete rounds[old.number];
    this.patch({ rounds });
  }

  /** Rounds that still need this participant, oldest first. */
  liveRounds(): readonly ParticipantRound[] {
    return Object.values(this.state.rounds)
      .filter((round) => !OVER.includes(round.step))
      .sort((a, b) => a.number - b.number);
  }

  /** Gives a round up: keys wiped, nothing of it answered any more. */
  kill(number: RoundNumber): void {
    const round = this.round(number);
    if (round === undefined || round.step === 'done' || round.step === 'dead') return;
    if (round.step === 'training') this.effect({ effect: 'trainer', order: 'stop' });
    this.effect({ effect: 'wipe', round: number });
    this.effect({ effect: 'cancel-timer', name: limitTimer(number) });
    this.patchRound(number, { step: 'dead' });
  }

  killAll(upTo = Infinity): void {
    for (const round of this.liveRounds()) if (round.number <= upTo) this.kill(round.number);
  }

  effect(effect: ParticipantEffect): void {
    this.#effects.push(effect);
  }

  send<Type extends MessageType>(type: Type, round: RoundNumber, body: Body<Type>): void {
    this.effect({ effect: 'send', message: { type, round, body } as Message });
  }

  task<Name extends keyof ParticipantTasks>(
    task: Name,
    round: RoundNumber,
    input: ParticipantTasks[Name]['input'],
  ): void {
    this.effect({ effect: 'task', task, round, input } as ParticipantEffect);
  }

  log(text: string, kind: EventView['kind'] = 'info'): void {
    this.effect({ effect: 'log', text, kind });
  }

  refused(code: string): void {
    this.effect({ effect: 'refused', code });
  }

  /** Tells the coordinator why nothing follows from its message, and with it where the guard stands. */
  refuse(round: RoundNumber, error: HushError): void {
    this.log(`Round ${round}: ${error.message}`, 'warn');
    this.send('refuse', round, {
      code: error.code.slice(0, 80),
      reason: error.message.slice(0, 400),
      guardRound: this.state.guard,
    });
    this.kill(round);
  }

  /** Ends the run here: nothing more is answered. */
  end(phase: RunPhase, problem: HushError | undefined): void {
    this.killAll();
    this.patch({
      phase,
      problem: problem && { code: problem.code, message: problem.message, advice: problem.advice },
    });
    this.effect({ effect: 'disconnect' });
  }

  progress(): void {
    const { paused, progress, choice, info, trainMs } = this.state;
    const training = this.liveRounds().find((round) => round.step === 'training');
    const phase = paused ? 'paused' : training ? 'training' : choice ? 'ready' : 'preparing';
    this.send('progress', 0, {
      phase,
      fraction: training ? Math.min(1, Math.max(0, progress?.fraction ?? 0)) : 0,
      engine: choice?.engine ?? '',
      samples: info?.samples.training ?? 0,
      trainMs: Math.round(trainMs),
    });
  }
}

/** A round takes at most this long; then a participant gives it up, whatever the coordinator says. */
export function roundLimitMs(plan: Plan): number {
  const { advertMs, shareMs, trainMs, consistencyMs, unmaskMs, confirmMs } = plan.aggregation.deadlines;
  return 2 * (advertMs + shareMs + trainMs + consistencyMs + unmaskMs + confirmMs) + 30_000;
}

export function limitTimer(round: RoundNumber): string {
  return `limit ${round}`;
}
