/**
 * Notices that the other side is gone: a browser may report a closed channel only minutes later (peerjs issue 769). A
 * silent peer is asked for a sign of life; answers come from message events, which a hidden tab does not throttle.
 */
import type { Clock, Unsubscribe } from '../core/ports.ts';

export const PING_EVERY_MS = 5_000;
export const DEAD_AFTER_MS = 45_000;

export interface HeartbeatActions {
  ping(): void;
  dead(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #actions: HeartbeatActions;
  #heardAtMs: number;
  #suspected = false;
  #cancel: Unsubscribe;

  constructor(clock: Clock, actions: HeartbeatActions) {
    this.#clock = clock;
    this.#actions = actions;
    this.#heardAtMs = clock.nowMs();
    this.#cancel = clock.after(PING_EVERY_MS, () => this.#tick());
  }

  /** Anything came from the other side. */
  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
    this.#suspected = false;
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const silentMs = this.#clock.nowMs() - this.#heardAtMs;
    // Death needs two ticks: after a frozen tab thaws, this timer may run before the messages that queued meanwhile.
    if (silentMs >= DEAD_AFTER_MS && this.#suspected) {
      this.#actions.dead();
      return;
    }
    this.#suspected = silentMs >= DEAD_AFTER_MS - PING_EVERY_MS;
    this.#cancel = this.#clock.after(PING_EVERY_MS, () => this.#tick());
    if (silentMs >= PING_EVERY_MS) this.#actions.ping();
  }
}
