/** Time that moves only when the simulation says so: what is due, in the order in which it falls due, by whom it concerns. */
import type { Clock, Unsubscribe } from '../../src/core/ports.ts';

/** Who an action concerns: those of one lane are taken together, so that their cost can be told apart. */
export type Lane = number;

interface Due {
  readonly atMs: number;
  /** Actions of the same instant go in the order in which they were asked for. */
  readonly order: number;
  readonly lane: Lane;
  /** Undefined once called off. */
  action: (() => void) | undefined;
}

export interface Instant {
  readonly lane: Lane;
  readonly actions: readonly (() => void)[];
}

export class VirtualTime {
  #nowMs: number;
  #orders = 0;
  /** How far apart instants are: what falls between two is due at the later one. */
  readonly #tickMs: number;
  /** A binary heap, soonest first. */
  readonly #heap: Due[] = [];

  constructor(startMs: number, tickMs: number) {
    this.#nowMs = startMs;
    this.#tickMs = tickMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(lane: Lane, delayMs: number, action: () => void): Unsubscribe {
    const atMs = Math.ceil((this.#nowMs + Math.max(0, delayMs)) / this.#tickMs) * this.#tickMs;
    const due: Due = { atMs, order: this.#orders++, lane, action };
    this.#push(due);
    return () => {
      due.action = undefined;
    };
  }

  /** The Clock port of one lane. */
  clock(lane: Lane): Clock {
    return { nowMs: () => this.#nowMs, after: (delayMs, action) => this.after(lane, delayMs, action) };
  }

  /** Moves on to the next instant at which something is due, and gives that by ascending lane; empty when nothing is left. */
  next(): readonly Instant[] {
    const lanes = new Map<Lane, (() => void)[]>();
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      if (lanes.size > 0 && first.atMs > this.#nowMs) break;
      this.#nowMs = first.atMs;
      this.#pop();
      const actions = lanes.get(first.lane) ?? [];
      lanes.set(first.lane, actions);
      const due = first;
      // Another action of this instant may still call it off.
      actions.push(() => due.action?.());
    }
    return [...lanes].sort(([a], [b]) => a - b).map(([lane, actions]) => ({ lane, actions }));
  }

  /** The soonest that was not called off. */
  #first(): Due | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].action === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || before(parent, due)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const [a, b] = [heap[left], heap[right]];
      const least = a !== undefined && b !== undefined && before(b, a) ? right : left;
      const child = heap[least];
      if (child === undefined || before(last, child)) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = last;
  }
}

function before(a: Due, b: Due): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
