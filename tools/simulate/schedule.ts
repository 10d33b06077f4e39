/** One fault schedule: a small federation in which things go wrong for a while, and which must come to an end after that. */
import type { RunPhase } from '../../src/core/runView.ts';
import { drawFaults, FrameFaults, UNHARMED } from './faults.ts';
import type { Closing, FaultMix } from './faults.ts';
import { SimulatedFederation } from './federation.ts';
import type { FederationOptions } from './federation.ts';
import type { SimulateOptions } from './options.ts';
import { abandonedIn } from './outcome.ts';
import type { Person } from './person.ts';
import { planFor } from './planFor.ts';
import { choicesFor } from './seeds.ts';

const STEP_MS = 5000;
const TRAIN_MS = 20_000;
const TICK_MS = 5;
const LONGEST_TRAINING_MS = 4000;
/** Attempts that may still fail once the faults have stopped: the two that were under way, and one more. */
const FAILING_ATTEMPTS = 3;
/** Greeting, heartbeat, reconnecting with backoff, and the longest rest between attempts. */
const RECONNECTING_MS = 150_000;

export interface ScheduleOutcome {
  readonly seed: number;
  /** Rounds that were called. */
  readonly rounds: number;
  /** Of them in the ledger as completed, the one that measures at the end among them. */
  readonly completed: number;
  readonly abandoned: Readonly<Record<string, number>>;
  /** Who hung, and how they stand. */
  readonly hung: readonly string[];
  readonly exact: boolean;
  /** What was wrong with sums. */
  readonly problems: readonly string[];
  /** Everyone who finished has the coordinator's model. */
  readonly sameModel: boolean;
  /** People who ended otherwise than by finishing, by reason. */
  readonly ended: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  /** Of everything that was delivered; the same for the same seed. */
  readonly trace: string;
}

type Change = Pick<FederationOptions, 'coordinator' | 'participant' | 'spoil'> & { readonly faults?: FaultMix };

/** Phases in which nothing more is to be expected of a participant. */
const ENDED: readonly RunPhase[] = ['left', 'refused', 'failed'];

export async function runSchedule(
  options: Pick<SimulateOptions, 'participants' | 'group' | 'mode' | 'params' | 'bits' | 'rounds' | 'seed'>,
  change: Change = {},
): Promise<ScheduleOutcome> {
  const schedule = await Schedule.found(options, change);
  try {
    await schedule.finish();
    return schedule.outcome();
  } finally {
    await schedule.end();
  }
}

class Schedule {
  readonly #federation: SimulatedFederation;
  readonly #seed: number;
  readonly #closings: readonly Closing[];
  readonly #stopMs: number;
  /** After the faults have stopped. */
  readonly #limitMs: number;
  /** Tabs that are away and come back. */
  #away = 0;

  private constructor(federation: SimulatedFederation, seed: number, mix: FaultMix, limitMs: number) {
    this.#federation = federation;
    this.#seed = seed;
    this.#closings = [...mix.closings].sort((a, b) => a.afterFrames - b.afterFrames);
    this.#stopMs = federation.time.nowMs + mix.stopAfterMs;
    this.#limitMs = limitMs;
  }

  static async found(
    options: Pick<SimulateOptions, 'participants' | 'group' | 'mode' | 'params' | 'bits' | 'rounds' | 'seed'>,
    { faults, ...change }: Change,
  ): Promise<Schedule> {
    const { seed, participants } = options;
    const choices = choicesFor(seed, 'schedule');
    const rounds = options.rounds ?? 1 + choices.below(3);
    const { plan, bytes } = planFor({ ...options, rounds, minimum: 3, stepMs: STEP_MS, trainMs: TRAIN_MS });
    const mix = faults ?? drawFaults(choices, participants);
    const frames = new FrameFaults(mix, choicesFor(seed, 'frames'));
    let schedule: Schedule | undefined;
    const federation = await SimulatedFederation.found({
      ...change,
      seed,
      plan,
      planBytes: bytes,
      people: participants,
      measured: [],
      tickMs: TICK_MS,
      latencyMs: (person) => 10 + ((person * 37) % 90),
      trainingMs: (person, round) => choicesFor(seed, 'training', person, round).below(LONGEST_TRAINING_MS),
      fate: () => (schedule?.isCalm ? UNHARMED : frames.draw()),
      delivered: (count) => schedule?.strike(count),
      traced: true,
    });
    const stepsMs = 5 * STEP_MS + TRAIN_MS;
    const limitMs = RECONNECTING_MS + (rounds + 1 + FAILING_ATTEMPTS) * 2 * stepsMs;
    schedule = new Schedule(federation, seed, mix, limitMs);
    return schedule;
  }

  get isCalm(): boolean {
    return this.#federation.time.nowMs >= this.#stopMs;
  }

  /** Closes what is to be closed after so many frames. */
  strike(frames: number): void {
    if (this.isCalm) return;
    for (const closing of this.#closings) if (closing.afterFrames === frames) this.#close(closing);
  }

  #close({ what, person: index, silentMs, awayMs }: Closing): void {
    const federation = this.#federation;
    const person = federation.people[index];
    if (what === 'channel') return person?.cut(silentMs);
    const isCoordinator = what === 'coordinator' || what === 'coordinator-pause';
    const tab = isCoordinator ? federation.coordinator : person?.tab;
    if (tab === undefined) return;
    const backMs = Math.min(awayMs ?? 0, Math.max(0, this.#stopMs - federation.time.nowMs));
    if (what === 'pause' || what === 'coordinator-pause') {
      const lane = federation.laneOf(isCoordinator ? undefined : person);
      federation.time.after(lane, 0, () => tab.wish('pause'));
      federation.time.after(lane, backMs, () => tab.wish('resume'));
      return;
    }
    // Not while the tab that is closed is at work: it is killed between two events.
    federation.time.after(federation.laneOf(isCoordinator ? undefined : person), 0, () => {
      if (isCoordinator) federation.closeCoordinator(silentMs);
      else person?.close(silentMs);
    });
    if (awayMs === undefined) return;
    this.#away++;
    if (isCoordinator) federation.openCoordinator(backMs);
    else if (person !== undefined) federation.openTab(person, backMs);
    federation.time.after(0, backMs, () => this.#away--);
  }

  async finish(): Promise<void> {
    const federation = this.#federation;
    const joining = choicesFor(this.#seed, 'joining');
    federation.openCoordinator(0);
    for (const person of federation.people) federation.openTab(person, joining.below(1000));
    // Somebody presses "start" when not all have come; and again where the coordinator's tab was closed meanwhile.
    const stopInMs = this.#stopMs - federation.time.nowMs;
    for (const inMs of [Math.min(5000, stopInMs), stopInMs + 1000]) {
      federation.time.after(0, inMs, () => federation.wishStart());
    }
    const endMs = this.#stopMs + this.#limitMs;
    for (let left = true; left && federation.time.nowMs < endMs && !this.#isOver();) left = await federation.step();
  }

  #isOver(): boolean {
    return this.isCalm && this.#away === 0 && this.#hung().length === 0;
  }

  /** Whoever is neither done nor ended with a reason. */
  #hung(): string[] {
    const { coordinator, people } = this.#federation;
    const hung: string[] = [];
    const state = coordinator?.state;
    if (state?.phase !== 'finished' && state?.phase !== 'failed') {
      const { current, upcoming, phase } = state ?? {};
      hung.push(
        `coordinator: ${phase ?? 'closed'}, current ${current?.step ?? '-'}, upcoming ${upcoming?.step ?? '-'}`,
      );
    }
    for (const person of people) if (!this.#hasEnded(person)) hung.push(standing(person));
    return hung;
  }

  #hasEnded({ tab }: Person): boolean {
    if (tab === undefined) return true;
    const { phase, modelHash } = tab.state;
    const last = this.#federation.coordinator?.state.head;
    return ENDED.includes(phase) || (phase === 'finished' && modelHash === last?.modelHash);
  }

  outcome(): ScheduleOutcome {
    const { coordinator, people, exactness, network, time } = this.#federation;
    const records = coordinator?.records ?? [];
    const complete = records.filter(({ body }) => body.status === 'complete').length;
    const rounds = Math.max(0, (coordinator?.state.nextRound ?? 1) - 1);
    const inLedger = abandonedIn(records);
    const dropped = rounds - records.length;
    const ended: Record<string, number> = {};
    for (const { tab } of people) {
      if (tab === undefined || !ENDED.includes(tab.state.phase)) continue;
      const reason = `${tab.state.phase}: ${tab.state.problem?.code ?? 'by its own wish'}`;
      ended[reason] = (ended[reason] ?? 0) + 1;
    }
    const { head, phase, problem } = coordinator?.state ?? {};
    if (phase === 'failed') ended[`coordinator failed: ${problem?.code ?? ''}`] = 1;
    return {
      seed: this.#seed,
      rounds,
      completed: complete,
      abandoned: dropped > 0 ? { ...inLedger, 'call dropped before anything was shared': dropped } : inLedger,
      hung: this.#hung(),
      exact: exactness.problems.length === 0,
      problems: exactness.problems,
      sameModel: people.every(({ tab }) => tab?.state.phase !== 'finished' || tab.model()?.hash === head?.modelHash),
      ended,
      virtualMs: time.nowMs,
      trace: network.traceDigest(),
    };
  }

  async end(): Promise<void> {
    await this.#federation.end();
  }
}

function standing({ index, tab }: Person): string {
  const { phase, fetching, rounds, head, wantedHead, welcome } = tab?.state ?? {};
  const steps = Object.values(rounds ?? {}).map(({ number, step }) => `${number} ${step}`);
  const behind = head?.recordHash === wantedHead ? '' : ', behind';
  const asked = fetching === undefined ? '' : `, waits for ${fetching.what}`;
  return `person ${index}: ${phase ?? 'closed'}${welcome ? '' : ', not met'}${behind}${asked}, rounds ${steps.join(', ') || '-'}`;
}
