/** One run over a network without faults, in which a part of each round's people close their tabs: what it costs. */
import { packedLength } from '../../src/core/sumSpec.ts';
import { WINDOW_BYTES } from './channel.ts';
import { SimulatedFederation } from './federation.ts';
import type { FederationOptions } from './federation.ts';
import type { SimulateOptions } from './options.ts';
import type { Person } from './person.ts';
import { planFor } from './planFor.ts';
import { choicesFor } from './seeds.ts';
import { outcomeOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';

/** Long enough that no deadline of a healthy run strikes: the virtual clock costs nothing. */
const STEP_MS = 600_000;
const TRAIN_MS = 3_600_000;
const TICK_MS = 10;
/** People and bytes that fall into one instant, at the most, so that their work is not all in memory at once. */
const PEOPLE_AT_ONCE = 200;
const BYTES_AT_ONCE = 32 * 2 ** 20;
/** The first few pay for the compiler, as a tab does in its first round; the median is that of the others. */
const MEASURED = 15;
const POOL_BYTES = 64 * 1024;
const SHORTEST_TRAINING_MS = 1000;

export interface CalmReport extends Outcome {
  readonly clientMsMedian: number;
  readonly clientMsMax: number;
  readonly coordinatorMs: number;
  readonly bytesUpPerParticipant: number;
  readonly bytesDownPerParticipant: number;
  readonly expansionUp: number;
  readonly coordinatorPeakMiB: number;
  readonly secondsTotal: number;
}

type Change = Pick<FederationOptions, 'coordinator' | 'participant' | 'spoil' | 'traced'>;

export async function calmRun(options: SimulateOptions, change: Change = {}): Promise<CalmReport> {
  const started = performance.now();
  // Thousands encode small messages: most of Node's time for a buffer of 8 KiB is in making it.
  Buffer.poolSize = POOL_BYTES;
  const run = await CalmRun.found(options, change);
  try {
    await run.finish();
    return run.report((performance.now() - started) / 1000);
  } finally {
    await run.federation.end();
  }
}

class CalmRun {
  readonly federation: SimulatedFederation;
  readonly #options: SimulateOptions;
  readonly #rounds: number;
  /** Everyone that ever closes its tab. */
  readonly #dropped = new Set<number>();
  readonly #away = new Map<number, Person>();
  #sealed = 0;
  #coordinatorMs = 0;
  #answersBefore = 0;

  private constructor(options: SimulateOptions, federation: SimulatedFederation, rounds: number) {
    this.#options = options;
    this.federation = federation;
    this.#rounds = rounds;
  }

  static async found(options: SimulateOptions, change: Change): Promise<CalmRun> {
    const { participants, dropout, seed, params, bits, rounds = 1 } = options;
    const minimum = 3;
    const { plan, bytes } = planFor({ ...options, rounds, minimum, stepMs: STEP_MS, trainMs: TRAIN_MS });
    const updateBytes = packedLength(params, bits + 8);
    const atOnce = Math.max(1, Math.min(PEOPLE_AT_ONCE, Math.floor(BYTES_AT_ONCE / updateBytes)));
    const slots = Math.ceil(participants / atOnce);
    const latencyMs = (person: number): number => TICK_MS * (2 + (person % slots));
    // Large updates of one slot have arrived, window by window, before those of the next are masked.
    const slotMs = TICK_MS + Math.floor(updateBytes / WINDOW_BYTES) * latencyMs(slots - 1);
    const dropping = Math.round(dropout * participants);
    // Nobody who drops out is measured.
    const alone = Math.min(MEASURED, participants - dropping);
    const measured = Array.from({ length: alone }, (_, i) => Math.floor(((i + 0.5) * participants) / alone));
    const droppers = (round: number): ReadonlySet<number> => {
      const others = [...choicesFor(seed, 'dropouts', round).permutation(participants)];
      const chosen = others.filter((person) => !measured.includes(person));
      return new Set(chosen.slice(0, dropping));
    };
    const byRound = new Map<number, ReadonlySet<number>>();
    let run: CalmRun | undefined;
    const federation: SimulatedFederation = await SimulatedFederation.found({
      ...change,
      seed,
      plan,
      planBytes: bytes,
      people: participants,
      measured,
      tickMs: TICK_MS,
      latencyMs,
      trainingMs: (person) => SHORTEST_TRAINING_MS + slotMs * Math.floor(person / atOnce),
      trainingBegins: (person, round) => {
        const chosen = byRound.get(round) ?? droppers(round);
        byRound.set(round, chosen);
        if (chosen.has(person)) run?.drop(person);
      },
      mayCall: (round) => round <= rounds,
    });
    run = new CalmRun(options, federation, rounds);
    return run;
  }

  /** Closes a tab in the middle of its training. */
  drop(index: number): void {
    const person = this.federation.people[index];
    if (person === undefined || this.#away.has(index)) return;
    this.#dropped.add(index);
    this.#away.set(index, person);
    this.federation.time.after(person.place.lane, SHORTEST_TRAINING_MS / 2, () => person.close(0));
  }

  async finish(): Promise<void> {
    const { federation } = this;
    const endMs = federation.time.nowMs + 2 * (this.#rounds + 1) * (5 * STEP_MS + TRAIN_MS);
    federation.openCoordinator(0);
    for (const person of federation.people) federation.openTab(person, person.place.latencyMs);
    let called = false;
    for (let left = true; left && federation.time.nowMs < endMs && !this.#isOver();) {
      const wallMs = federation.coordinatorMeter.wallMs;
      left = await federation.step();
      const { coordinator } = federation;
      if (coordinator === undefined) continue;
      // Joining is no part of a round.
      if (!called && coordinator.state.upcoming !== undefined) {
        called = true;
        for (const person of federation.people) federation.meterOf(person.index)?.reset();
      }
      const isAnswering = federation.answers > this.#answersBefore;
      if (isAnswering) this.#coordinatorMs += federation.coordinatorMeter.wallMs - wallMs;
      if (coordinator.records.length > this.#sealed) this.#roundOver(coordinator.records.length);
    }
  }

  /** The last record is written, and everyone has it. */
  #isOver(): boolean {
    if (this.#sealed < this.#rounds) return false;
    return this.federation.people.every((person) => !this.#waits(person));
  }

  #waits({ tab }: Person): boolean {
    return tab !== undefined && tab.state.head?.recordHash !== this.federation.coordinator?.state.head.recordHash;
  }

  #roundOver(sealed: number): void {
    this.#sealed = sealed;
    this.#answersBefore = this.federation.answers;
    if (sealed >= this.#rounds) return;
    for (const person of this.#away.values()) this.federation.openTab(person, 0);
    this.#away.clear();
  }

  report(secondsTotal: number): CalmReport {
    const { federation } = this;
    const { params, bits } = this.#options;
    const rounds = Math.max(1, this.#sealed);
    const stayed = federation.people.filter(({ index }) => !this.#dropped.has(index));
    const mean = (of: (person: Person) => number): number =>
      stayed.reduce((sum, person) => sum + of(person), 0) / Math.max(1, stayed.length) / rounds;
    const bytesUp = mean(({ place }) => federation.network.trafficOf(place).sentBytes);
    const bytesDown = mean(({ place }) => federation.network.trafficOf(place).receivedBytes);
    const clientMs = stayed
      .flatMap(({ index }) => federation.meterOf(index)?.cpuMs ?? [])
      .map((ms) => ms / rounds)
      .sort((a, b) => a - b);
    const waiting = federation.people.filter((person) => this.#waits(person)).length;
    const hung = waiting + (this.#sealed < this.#rounds ? 1 : 0);
    return {
      ...outcomeOf(federation, this.#options.mode, hung),
      clientMsMedian: rounded(clientMs[Math.floor(clientMs.length / 2)] ?? 0),
      clientMsMax: rounded(clientMs.at(-1) ?? 0),
      coordinatorMs: rounded(this.#coordinatorMs / rounds),
      bytesUpPerParticipant: Math.round(bytesUp),
      bytesDownPerParticipant: Math.round(bytesDown),
      expansionUp: Math.round((1000 * bytesUp) / ((params * bits) / 8)) / 1000,
      coordinatorPeakMiB: rounded(federation.holding.peakBytes / 2 ** 20),
      secondsTotal: rounded(secondsTotal),
    };
  }
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
