/** What both runners share: events taken one at a time, timers, counted refusals, a log, and change notices. */
import { asHushError } from '../core/errors.ts';
import type { HushError } from '../core/errors.ts';
import type { ParticipantId } from '../core/ids.ts';
import type { Clock, Unsubscribe } from '../core/ports.ts';
import type { EventView, ProblemView } from '../core/runView.ts';
import type { CommonEffect, Machine } from './machine.ts';

const KEPT_LOG_LINES = 200;

interface TimerFired {
  readonly event: 'timer';
  readonly name: string;
}

export abstract class Runner<State, Event, Effect extends { readonly effect: string }> {
  protected readonly clock: Clock;
  readonly #machine: Machine<State, Event | TimerFired, Effect>;
  #state: State;
  readonly #pending: (Event | TimerFired)[] = [];
  #running = false;
  #stopped = false;
  readonly #timers = new Map<string, Unsubscribe>();
  readonly #refusals = new Map<string, number>();
  readonly #named = new Set<string>();
  #log: readonly EventView[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(machine: Machine<State, Event | TimerFired, Effect>, state: State, clock: Clock) {
    this.#machine = machine;
    this.#state = state;
    this.clock = clock;
  }

  get state(): State {
    return this.#state;
  }

  get log(): readonly EventView[] {
    return this.#log;
  }

  get refusals(): readonly { readonly reason: string; readonly count: number }[] {
    return [...this.#refusals].map(([reason, count]) => ({ reason, count }));
  }

  protected get stopped(): boolean {
    return this.#stopped;
  }

  onChange(handler: () => void): Unsubscribe {
    this.#listeners.add(handler);
    return () => this.#listeners.delete(handler);
  }

  /** Takes events in the order in which they come; an effect may cause the next one, which waits its turn. */
  protected take(event: Event | TimerFired): void {
    if (this.#stopped) return;
    this.#pending.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        const { state, effects } = this.#machine(this.#state, next, this.clock.nowMs());
        this.#state = state;
        for (const effect of effects) this.perform(effect);
      }
    } catch (error) {
      this.#broken(error);
    } finally {
      this.#running = false;
    }
    this.changed();
  }

  /** A machine that throws is a defect: it is shown, and the run ends rather than going on from a state unknown. */
  #broken(error: unknown): void {
    const problem = asHushError(error, 'internal/defect');
    this.#pending.length = 0;
    this.addLog(`Internal error: ${problem.toString()}`, 'bad');
    this.#state = this.failedState(this.#state, {
      code: 'internal/defect',
      message: `Something went wrong in hushgrad itself: ${problem.message}`,
      advice: 'Reload the page; what was stored is taken up again.',
    });
    this.close();
  }

  protected abstract failedState(state: State, problem: ProblemView): State;

  /** Ends everything that the runner holds. */
  abstract close(): void;

  protected abstract perform(effect: Effect): void;

  protected performCommon(effect: CommonEffect): void {
    switch (effect.effect) {
      case 'timer': {
        const { name, delayMs } = effect;
        this.#cancel(name);
        this.#timers.set(
          name,
          this.clock.after(delayMs, () => {
            this.#timers.delete(name);
            this.take({ event: 'timer', name });
          }),
        );
        return;
      }
      case 'cancel-timer':
        return this.#cancel(effect.name);
      case 'refused':
        return this.countRefusal(effect.code, effect.about);
      case 'log':
        return this.addLog(effect.text, effect.kind);
      default:
        effect satisfies never;
    }
  }

  /** Settles a task into an event; whatever was thrown becomes a HushError. */
  protected async settle<Output>(
    work: Promise<Output>,
    done: (output: Output) => void,
    failed: (error: HushError) => void,
  ): Promise<void> {
    const outcome = await work.then(
      (output) => ({ output }),
      (error: unknown) => ({ error: asHushError(error, 'task/failed') }),
    );
    if ('output' in outcome) done(outcome.output);
    else failed(outcome.error);
  }

  /** The culprit is named once for each reason: whoever goes on must not fill the log. */
  protected countRefusal(code: string, about?: ParticipantId): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
    if (about === undefined || this.#named.has(code + about)) return;
    this.#named.add(code + about);
    this.addLog(`Counted against ${about}: ${code}.`, 'warn');
  }

  protected addLog(text: string, kind: EventView['kind']): void {
    this.#log = [...this.#log.slice(1 - KEPT_LOG_LINES), { atMs: this.clock.nowMs(), text, kind }];
  }

  protected changed(): void {
    for (const listener of this.#listeners) listener();
  }

  protected stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.changed();
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
