/** What the coordinator knows: its state, the work that it asks for, the events that it takes. */
import type { Bytes } from '../core/bytes.ts';
import type { HushError } from '../core/errors.ts';
import { IdMap } from '../core/idMap.ts';
import type { ChannelId, Hash, ParticipantId, PublicKey, RoundNumber, Signature } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import type { StatisticsView } from '../core/statistics.ts';
import type { RoundKind } from '../core/sumSpec.ts';
import type { MeasuredPoint, ProblemView, RunPhase } from '../core/runView.ts';
import type { Draw } from './groups.ts';
import type { LedgerHead } from './ledger.ts';
import type { CoordinatorRound } from './coordinatorRounds.ts';
import type { CommonEffect, DoneEvent, FailedEvent, SendEffect, TaskEffect, TimerEvent } from './machine.ts';
import type { AdvertBody, Binding, Body, Dealing, Message } from './messages.ts';
import type { Applied } from './participantState.ts';
import type { LedgerRecord, RecordBody, Sheet } from './record.ts';
import type { CheckedAdvert, Cohort, Roster } from './roster.ts';
import type { Confirmation, ConsistencyTuple } from './statements.ts';

/** A connected participant that has shown its key. */
export interface Session {
  readonly channel: ChannelId;
  readonly id: ParticipantId;
  readonly publicKey: PublicKey;
  readonly shard: number;
  readonly phase: Body<'progress'>['phase'];
  readonly fraction: number;
  /** Something that it asked for is on its way; it may ask for one thing at a time. */
  readonly fetching: boolean;
  readonly engine: string;
  readonly samples: number;
  readonly trainMs: number;
  /** Highest guard that it has told: rounds up to there are refused by it. */
  readonly guardRound: RoundNumber;
}

/** 1 or 0, for `CoordinatorState.preparing`. */
export function countPreparing({ phase }: Session): 0 | 1 {
  return phase === 'preparing' ? 1 : 0;
}

/** How far a round is, as it is stored: once begun it belongs in the ledger, come what may. */
export interface RoundMark {
  readonly round: RoundNumber;
  readonly stage: 'called' | 'begun' | 'spent';
  readonly participants: Unsealed['participants'];
}

/** An abandoned round whose record is still to be written. */
export interface Unsealed {
  readonly round: RoundNumber;
  readonly participants: readonly (readonly [ParticipantId, PublicKey])[];
  readonly reason: string;
  readonly spent: boolean;
}

/** One completed or abandoned round as metrics have it. */
export interface RoundMetrics {
  readonly round: RoundNumber;
  readonly kind: RoundKind;
  readonly completed: number;
  readonly participants: number;
  readonly survivors: number;
  /** On the roster, and never answered step 5. */
  readonly dropouts: number;
  /** Since the record before, or since the round began where there is none. */
  readonly seconds: number;
  /** Mean over the participants that trained. */
  readonly trainSeconds: number;
  readonly bytesUpPerParticipant: number;
  readonly bytesDownPerParticipant: number;
  readonly engines: Readonly<Record<string, number>>;
  readonly point: MeasuredPoint;
  readonly statistics?: StatisticsView | undefined;
}

export interface CoordinatorTasks {
  readonly checkAdvert: { readonly input: AdvertBody; readonly output: CheckedAdvert };
  /** Fixes who is in the round. */
  readonly makeCohort: {
    readonly input: readonly CheckedAdvert[];
    /** With the proof of each advert, in plans with groups. */
    readonly output: { readonly cohort: Cohort; readonly proofs: readonly (readonly Bytes[])[] };
  };
  /** Cuts the cohort into groups; without `reveals`, into the one of a plan without groups. */
  readonly draw: {
    readonly input: {
      readonly cohort: Cohort;
      readonly reveals: ReadonlyMap<ParticipantId, Bytes> | undefined;
    };
    readonly output: Draw;
  };
  readonly checkShare: {
    readonly input: { readonly roster: Roster; readonly body: Body<'share'> };
    readonly output: Body<'share'>;
  };
  /** Stores how far the round is, before anything of that is sent. */
  readonly mark: { readonly input: RoundMark; readonly output: undefined };
  readonly beginSum: {
    readonly input: {
      readonly kind: RoundKind;
      readonly groupSizes: readonly number[];
      readonly mark: RoundMark;
    };
    readonly output: { readonly sumSpecHash: Hash };
  };
  readonly addMasked: {
    readonly input: { readonly group: number; readonly body: Body<'masked'> };
    readonly output: Hash;
  };
  readonly checkAgreement: {
    readonly input: { readonly key: PublicKey; readonly tuple: ConsistencyTuple; readonly signature: Signature };
    readonly output: Signature;
  };
  readonly checkUnmask: {
    readonly input: {
      readonly roster: Roster;
      readonly dealings: readonly Dealing[];
      readonly survivors: readonly ParticipantId[];
      readonly body: Body<'unmask'>;
    };
    readonly output: Body<'unmask'>;
  };
  /** Takes the masks off a group's sum and adds it to the total. */
  readonly unmask: {
    readonly input: {
      readonly roster: Roster;
      readonly dealings: readonly Dealing[];
      readonly survivors: readonly ParticipantId[];
      readonly tuple: ConsistencyTuple;
      readonly answers: Readonly<Record<ParticipantId, Body<'unmask'>>>;
    };
    readonly output: undefined;
  };
  /** Applies the total, keeps the next model. */
  readonly finish: {
    readonly input: { readonly members: number; readonly survivors: number };
    readonly output: { readonly applied: Applied; readonly packedSum: Bytes };
  };
  readonly checkConfirm: {
    readonly input: {
      readonly key: PublicKey;
      readonly body: Body<'confirm'>;
      readonly confirmation: Confirmation;
    };
    readonly output: Signature;
  };
  /** Signs and stores a record. */
  readonly seal: {
    readonly input: {
      readonly head: LedgerHead;
      readonly body: RecordBody;
      readonly sheets: readonly Sheet[];
      readonly metrics: RoundMetrics | undefined;
    };
    readonly output: {
      readonly head: LedgerHead;
      readonly record: LedgerRecord;
      readonly metrics: RoundMetrics | undefined;
    };
  };
  readonly item: {
    readonly input: Body<'fetch'>;
    readonly output: Body<'item'>;
  };
}

export type CoordinatorEvent =
  | {
      readonly event: 'greeted';
      readonly channel: ChannelId;
      readonly hello: Body<'hello'>;
      readonly id: ParticipantId;
    }
  | { readonly event: 'closed'; readonly channel: ChannelId; readonly reason: string }
  | { readonly event: 'message'; readonly channel: ChannelId; readonly message: Message }
  | { readonly event: 'wish'; readonly wish: 'start' | 'pause' | 'resume' }
  | { readonly event: 'summer-failed'; readonly error: HushError }
  | TimerEvent
  | DoneEvent<CoordinatorTasks>
  | FailedEvent<CoordinatorTasks>;

export type CoordinatorEffect =
  | CommonEffect
  | SendEffect
  | TaskEffect<CoordinatorTasks>
  | { readonly effect: 'close'; readonly channel: ChannelId };

export interface CoordinatorState {
  readonly own: ParticipantId;
  readonly ownKey: PublicKey;
  readonly binding: Binding;
  readonly plan: Plan;
  readonly phase: RunPhase;
  readonly head: LedgerHead;
  readonly sessions: IdMap<ParticipantId, Session>;
  /** How many of them are `preparing`, so that not every message has all of them looked through. */
  readonly preparing: number;
  readonly channels: IdMap<ChannelId, ParticipantId>;
  /** Kept across reconnects, so that a participant gets its own shard again. */
  readonly shards: IdMap<ParticipantId, number>;
  /** Next number to give to a round; only ever rises. */
  readonly nextRound: RoundNumber;
  /** The round from its training on. */
  readonly current: CoordinatorRound | undefined;
  /** The round whose keys are exchanged meanwhile. */
  readonly upcoming: CoordinatorRound | undefined;
  /** The cohort is there, or a person said to start. */
  readonly started: boolean;
  readonly paused: boolean;
  readonly unsealed: readonly Unsealed[];
  readonly sealing: boolean;
  /** Dealt false shares: in no further roster. */
  readonly excluded: readonly ParticipantId[];
  /** By which participants have shown that they go, in whatever round. */
  readonly names: IdMap<ParticipantId, string>;
  /** Survivors of the smallest group in the last sum. */
  readonly smallestGroup: number | undefined;
  /** Rounds given up in a row; the next call waits the longer. */
  readonly failures: number;
  readonly nextCallMs: number;
  readonly lastTrainMs: number;
  /** When the last record was written; undefined until one was. */
  readonly sealedMs: number | undefined;
  readonly metrics: readonly RoundMetrics[];
  readonly curve: readonly MeasuredPoint[];
  readonly problem: ProblemView | undefined;
}

export interface CoordinatorStart {
  readonly own: ParticipantId;
  readonly ownKey: PublicKey;
  readonly binding: Binding;
  readonly plan: Plan;
  readonly head: LedgerHead;
  readonly finished: boolean;
  readonly nextRound: RoundNumber;
  readonly unsealed: readonly Unsealed[];
  readonly shards: Readonly<Record<ParticipantId, number>>;
  readonly metrics: readonly RoundMetrics[];
  readonly curve: readonly MeasuredPoint[];
  readonly excluded: readonly ParticipantId[];
}

/** Of a new federation, or of one that is taken up again. */
export function initialCoordinator(start: CoordinatorStart): CoordinatorState {
  const { finished, shards, ...rest } = start;
  return {
    ...rest,
    shards: IdMap.of(Object.entries(shards) as [ParticipantId, number][]),
    phase: finished ? 'finished' : 'waiting',
    sessions: IdMap.empty(),
    preparing: 0,
    channels: IdMap.empty(),
    current: undefined,
    upcoming: undefined,
    // A federation that has completed a round goes on with whoever is there.
    started: start.head.records > start.head.abandoned,
    paused: false,
    sealing: false,
    names: IdMap.empty(),
    smallestGroup: undefined,
    failures: 0,
    nextCallMs: 0,
    lastTrainMs: 0,
    sealedMs: undefined,
    problem: undefined,
  };
}
