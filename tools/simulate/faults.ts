/** What goes wrong in one simulated run, drawn from its seed: on the way of frames, and with channels and tabs. */
import type { SeededRandom } from '../../src/core/seededRandom.ts';

/** What becomes of one frame. */
export interface Fate {
  /** How much later than usual each copy of it arrives; none when it is dropped. */
  readonly extraMs: readonly number[];
  /** Frames sent after it do not wait for it. */
  readonly overtaken: boolean;
}

export const UNHARMED: Fate = { extraMs: [0], overtaken: false };

/** Something that happens to a tab when so many frames have been delivered. */
export interface Closing {
  readonly afterFrames: number;
  /** A channel that is cut, a tab that is closed, a tab in which somebody presses "pause"; the latter two of either role. */
  readonly what: 'channel' | 'tab' | 'pause' | 'coordinator' | 'coordinator-pause';
  /** Whose, unless it is the coordinator's. */
  readonly person: number;
  /** The other side learns of it only after this long; 0 when it says goodbye. */
  readonly silentMs: number;
  /** Until a tab is opened again, or goes on; undefined when it stays closed. */
  readonly awayMs: number | undefined;
}

export interface FaultMix {
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly reorderRate: number;
  readonly stallRate: number;
  readonly closings: readonly Closing[];
  /** From then on nothing goes wrong any more; tabs that are away still come back. */
  readonly stopAfterMs: number;
}

/** As a transport's heartbeat gives a silent peer up. */
const SILENT_MS = 45_000;
const LONGEST_STALL_MS = 20_000;
const LONGEST_OVERTAKING_MS = 400;
const LONGEST_AWAY_MS = 30_000;
/** With fewer there is no round. */
const FEWEST = 3;

/** How often each kind is, added up. */
const KINDS: readonly (readonly [Closing['what'], number])[] = [
  ['channel', 0.35],
  ['tab', 0.7],
  ['pause', 0.8],
  ['coordinator-pause', 0.85],
  ['coordinator', 1],
];

/** Some kinds of fault are left out in each mix, so that each is also seen alone. */
export function drawFaults(random: SeededRandom, people: number): FaultMix {
  const rate = (largest: number): number => (random.uniform() < 0.4 ? 0 : largest * random.uniform() ** 2);
  // Those who stay away for good must leave enough others, or nothing could be expected of them.
  const leavers = random.below(Math.min(people - FEWEST, Math.max(1, Math.floor(people / 4))) + 1);
  const chosen = random.permutation(people);
  const comings = random.below(8);
  return {
    dropRate: rate(0.04),
    duplicateRate: rate(0.2),
    reorderRate: rate(0.2),
    stallRate: rate(0.02),
    closings: Array.from({ length: leavers + comings }, (_, i) =>
      closing(random, chosen[i % people] ?? 0, i < leavers),
    ),
    stopAfterMs: 2000 + random.below(30_000),
  };
}

function closing(random: SeededRandom, person: number, forGood: boolean): Closing {
  const drawn = random.uniform();
  return {
    afterFrames: random.below(1200),
    what: forGood ? 'tab' : (KINDS.find(([, upTo]) => drawn < upTo)?.[0] ?? 'channel'),
    person,
    silentMs: random.uniform() < 0.7 ? 0 : random.below(SILENT_MS),
    awayMs: forGood ? undefined : random.below(LONGEST_AWAY_MS),
  };
}

export class FrameFaults {
  readonly #mix: FaultMix;
  readonly #random: SeededRandom;
  /** How often each kind struck. */
  readonly counts = { dropped: 0, duplicated: 0, overtaken: 0, stalled: 0 };

  constructor(mix: FaultMix, random: SeededRandom) {
    this.#mix = mix;
    this.#random = random;
  }

  draw(): Fate {
    const { dropRate, duplicateRate, reorderRate, stallRate } = this.#mix;
    const struck = (rate: number): boolean => this.#random.uniform() < rate;
    if (struck(dropRate)) {
      this.counts.dropped++;
      return { extraMs: [], overtaken: false };
    }
    const duplicated = struck(duplicateRate);
    const overtaken = struck(reorderRate);
    const stalled = struck(stallRate);
    if (duplicated) this.counts.duplicated++;
    if (overtaken) this.counts.overtaken++;
    if (stalled) this.counts.stalled++;
    const lateMs =
      (overtaken ? this.#random.below(LONGEST_OVERTAKING_MS) : 0) +
      (stalled ? this.#random.below(LONGEST_STALL_MS) : 0);
    const extraMs = duplicated ? [lateMs, lateMs + this.#random.below(LONGEST_OVERTAKING_MS)] : [lateMs];
    return { extraMs, overtaken: overtaken || (duplicated && !stalled) };
  }
}
