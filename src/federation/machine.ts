/**
 * Sans I/O: a role is a pure function `(state, event) -> (state, effects)`. Events are messages, timers, results of work and
 * a person's wishes; effects are messages to send, timers to set and work to do, which a runner performs.
 */
import type { HushError } from '../core/errors.ts';
import type { ChannelId, ParticipantId, RoundNumber } from '../core/ids.ts';
import type { EventView } from '../core/runView.ts';
import type { Message } from './messages.ts';

/** Work that cannot be done at once, by name. */
export type TaskMap<Tasks> = { readonly [Name in keyof Tasks]: { readonly input: unknown; readonly output: unknown } };

interface TaskAddress {
  readonly round: RoundNumber;
  /** Whose message caused it, where that matters. */
  readonly about?: ParticipantId;
  /** Of whose sum it is part, where that matters. */
  readonly group?: number;
}

export type TaskEffect<Tasks extends TaskMap<Tasks>> = {
  readonly [Name in keyof Tasks]: TaskAddress & {
    readonly effect: 'task';
    readonly task: Name;
    readonly input: Tasks[Name]['input'];
  };
}[keyof Tasks];

export type DoneEvent<Tasks extends TaskMap<Tasks>> = {
  readonly [Name in keyof Tasks]: TaskAddress & {
    readonly event: 'done';
    readonly task: Name;
    readonly output: Tasks[Name]['output'];
  };
}[keyof Tasks];

export interface FailedEvent<Tasks extends TaskMap<Tasks>> extends TaskAddress {
  readonly event: 'failed';
  readonly task: keyof Tasks;
  readonly error: HushError;
}

export interface TimerEvent {
  readonly event: 'timer';
  readonly name: string;
}

export type CommonEffect =
  | { readonly effect: 'timer'; readonly name: string; readonly delayMs: number }
  | { readonly effect: 'cancel-timer'; readonly name: string }
  /** Counted by reason and shown. */
  | { readonly effect: 'refused'; readonly code: string; readonly about?: ParticipantId }
  | { readonly effect: 'log'; readonly text: string; readonly kind: EventView['kind'] };

export interface SendEffect {
  readonly effect: 'send';
  /** A participant has one channel and leaves it out. More than one: the same bytes to each. */
  readonly to?: readonly ChannelId[];
  readonly message: Message;
}

export interface Transition<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export interface Machine<State, Event, Effect> {
  /** `nowMs` is the runner's clock when the event was taken. */
  (state: State, event: Event, nowMs: number): Transition<State, Effect>;
}
