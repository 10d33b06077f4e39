/** What a participant knows: its state, the work that it asks for, the events that it takes. */
import type { HushError } from '../core/errors.ts';
import type { ShardAssignment } from '../core/dataset.ts';
import type { EngineChoice, TrainingProgress } from '../core/engine.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber, Signature } from '../core/ids.ts';
import type { ApplyReport, MaskReport, TrainerInfo, TrainReport } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { RoundKind } from '../core/sumSpec.ts';
import type { MeasuredPoint, ProblemView, RunPhase } from '../core/runView.ts';
import type { Figures } from '../core/figures.ts';
import type { LedgerHead } from './ledger.ts';
import type { CommonEffect, DoneEvent, FailedEvent, SendEffect, TaskEffect, TimerEvent } from './machine.ts';
import type { Survivor } from './memberSets.ts';
import type { AdvertBody, Binding, Body, Message } from './messages.ts';
import type { LedgerRecord } from './record.ts';
import type { Roster } from './roster.ts';
import type { ConsistencyTuple } from './statements.ts';

/** Where the participant stands in one round, in order; `dead` when it was given up. */
export type ParticipantStep =
  | 'advertised'
  /** Only with groups: what was committed to is revealed once the cohort is fixed. */
  | 'checking-cohort'
  | 'revealed'
  | 'checking-roster'
  | 'dealing'
  | 'shared'
  | 'opening'
  | 'delivered'
  | 'training'
  | 'masking'
  | 'masked'
  | 'agreeing'
  | 'agreed'
  | 'checking-agreement'
  | 'released'
  /** Not in the round, or no longer: its sum is applied so that the model need not be fetched. */
  | 'following'
  | 'applying'
  | 'confirming'
  | 'confirmed'
  | 'done'
  | 'dead';

export interface ParticipantRound {
  readonly number: RoundNumber;
  readonly step: ParticipantStep;
  readonly cohort?: Body<'cohort'>;
  readonly draw?: Body<'draw'>;
  readonly roster?: Roster;
  readonly u1?: readonly ParticipantId[];
  readonly u1Root?: Hash;
  readonly begin?: Body<'begin'>;
  readonly piecesRoot?: Hash;
  readonly survivors?: readonly Survivor[];
  readonly tuple?: ConsistencyTuple;
  readonly applied?: Applied;
  readonly stepSinceMs: number;
}

/** What came of a sum, without the model's parameters. */
export type Applied = Omit<ApplyReport, 'parameters'>;

/** What this participant has seen of a round, which its record must not contradict. */
export interface Known {
  readonly members: Roster['members'] | undefined;
  readonly survivors: readonly ParticipantId[] | undefined;
  readonly kind: RoundKind | undefined;
  readonly sumSpecHash: Hash | undefined;
  /** Of the draw, undefined in plans without groups. */
  readonly revealRoot: Hash | undefined;
  readonly rosterRoot: Hash | undefined;
  readonly u1Root: Hash | undefined;
  readonly u2Root: Hash | undefined;
  readonly applied: Applied | undefined;
}

export interface ParticipantTasks {
  /** Answers a challenge. */
  readonly greet: { readonly input: Body<'challenge'>; readonly output: Body<'hello'> };
  readonly readPlan: { readonly input: Uint8Array; readonly output: Plan };
  /** Verifies the whole chain and that it ends in `head`. */
  readonly readLedger: {
    readonly input: {
      readonly content: Uint8Array | undefined;
      readonly head: Hash;
      readonly plan: Plan;
      /** Verified before: a new chain must go on from it, or be its beginning. */
      readonly verified: LedgerHead | undefined;
      readonly history: readonly Hash[];
    };
    readonly output: {
      readonly head: LedgerHead;
      readonly history: readonly Hash[];
      readonly curve: readonly MeasuredPoint[];
    };
  };
  /** Without content: the model that the plan's seed gives. */
  readonly loadModel: {
    readonly input: { readonly content: Uint8Array | undefined; readonly modelHash: Hash; readonly plan: Plan };
    readonly output: Hash;
  };
  readonly prepare: {
    readonly input: { readonly plan: Plan; readonly shard: ShardAssignment | undefined };
    readonly output: { readonly info: TrainerInfo; readonly choice: EngineChoice };
  };
  /** Once more, whatever is remembered. */
  readonly measure: { readonly input: undefined; readonly output: EngineChoice };
  readonly advert: { readonly input: Plan; readonly output: AdvertBody };
  /** Checks that the own advert is in the cohort; gives what it committed to. */
  readonly reveal: {
    readonly input: { readonly plan: Plan; readonly cohort: Body<'cohort'> };
    readonly output: Body<'reveal'>;
  };
  readonly checkRoster: {
    readonly input: {
      readonly plan: Plan;
      readonly roster: Body<'roster'>;
      /** Undefined in plans without groups. */
      readonly drawn: { readonly cohort: Body<'cohort'>; readonly draw: Body<'draw'> } | undefined;
    };
    readonly output: Roster;
  };
  /** Stores the guard, then deals. */
  readonly deal: { readonly input: Roster; readonly output: Body<'share'> };
  readonly open: {
    readonly input: { readonly roster: Roster; readonly delivery: Body<'deliver'> };
    readonly output: {
      readonly good: readonly ParticipantId[];
      readonly bad: readonly ParticipantId[];
      readonly u1Root: Hash;
    };
  };
  readonly train: { readonly input: { readonly kind: RoundKind }; readonly output: TrainReport };
  readonly mask: {
    readonly input: {
      readonly plan: Plan;
      readonly kind: RoundKind;
      readonly roster: Roster;
      readonly u1: readonly ParticipantId[];
      readonly u1Root: Hash;
      readonly modelHash: Hash;
    };
    readonly output: MaskReport & { readonly sumSpecHash: Hash };
  };
  readonly agree: { readonly input: ConsistencyTuple; readonly output: Signature };
  /** Gives how many distinct survivors signed this tuple. */
  readonly checkAgreement: {
    readonly input: {
      readonly roster: Roster;
      readonly tuple: ConsistencyTuple;
      readonly survivors: readonly ParticipantId[];
      readonly signatures: Body<'agreed'>['signatures'];
    };
    readonly output: number;
  };
  readonly release: {
    readonly input: {
      readonly roster: Roster;
      readonly u1: readonly ParticipantId[];
      readonly survivors: readonly ParticipantId[];
    };
    readonly output: Body<'unmask'>;
  };
  readonly apply: {
    readonly input: { readonly plan: Plan; readonly result: Body<'result'> };
    readonly output: Applied;
  };
  readonly confirm: {
    readonly input: {
      readonly applied: Applied;
      readonly prevRecordHash: Hash;
      readonly roster: Roster;
      readonly survivors: readonly ParticipantId[];
      readonly tuple: ConsistencyTuple;
    };
    readonly output: Body<'confirm'>;
  };
  /** Checks a record against the head, its signatures, and what was seen of the round. */
  readonly checkRecord: {
    readonly input: {
      readonly plan: Plan;
      readonly head: LedgerHead;
      readonly record: LedgerRecord;
      readonly known: Known;
    };
    readonly output: { readonly before: Hash; readonly head: LedgerHead; readonly curve: readonly MeasuredPoint[] };
  };
}

/** `measure`: the engines anew. */
export type ParticipantWish = 'pause' | 'resume' | 'finish' | 'leave' | 'measure';

export type ParticipantEvent =
  | { readonly event: 'connected' }
  | { readonly event: 'closed'; readonly reason: string }
  /** What answers at the coordinator's address does not sign with the link's key, or speaks for another plan. */
  | { readonly event: 'foreign'; readonly what: 'key' | 'plan' }
  | { readonly event: 'message'; readonly message: Message }
  /** The person has chosen the files that the plan asks for. */
  | { readonly event: 'data-accepted' }
  | { readonly event: 'progress'; readonly progress: TrainingProgress }
  | { readonly event: 'trainer-failed'; readonly error: HushError }
  | { readonly event: 'wish'; readonly wish: ParticipantWish }
  | TimerEvent
  | DoneEvent<ParticipantTasks>
  | FailedEvent<ParticipantTasks>;

export type ParticipantEffect =
  | CommonEffect
  | SendEffect
  | TaskEffect<ParticipantTasks>
  /** Tries to reach the coordinator, after a wait that grows with `attempt`. */
  | { readonly effect: 'connect'; readonly attempt: number }
  | { readonly effect: 'disconnect' }
  /** Wipes a round's keys. */
  | { readonly effect: 'wipe'; readonly round: RoundNumber }
  | { readonly effect: 'trainer'; readonly order: 'pause' | 'resume' | 'stop' };

export interface ParticipantState {
  readonly own: ParticipantId;
  readonly binding: Binding;
  readonly coordinatorKey: PublicKey;
  readonly phase: RunPhase;
  readonly attempt: number;
  readonly welcome: Body<'welcome'> | undefined;
  readonly ownNonce: string | undefined;
  readonly plan: Plan | undefined;
  /** Verified; undefined until the ledger was read. */
  readonly head: LedgerHead | undefined;
  /** Hashes of the verified records, first to last. */
  readonly history: readonly Hash[];
  /** Of the last record that was heard of; the ledger is fetched again when it is not ours. */
  readonly wantedHead: Hash | undefined;
  /** Of the model that the trainer holds. */
  readonly modelHash: Hash | undefined;
  readonly fetching: { readonly what: 'plan' | 'ledger' | 'model'; readonly hash: Hash } | undefined;
  /** `resting` after a failure, before the next try. */
  readonly trainer: 'closed' | 'resting' | 'preparing' | 'ready' | 'failed';
  /** In a row; a completed training ends the row. */
  readonly trainerFailures: number;
  /** What the person trains on is there; matters only where the plan asks for people's own files. */
  readonly dataAccepted: boolean;
  readonly info: TrainerInfo | undefined;
  readonly choice: EngineChoice | undefined;
  /** Highest round for which shares were dealt; survives a reload. */
  readonly guard: RoundNumber;
  /** A call that came before the ledger was read. */
  readonly pendingCall: RoundNumber | undefined;
  readonly rounds: Readonly<Record<RoundNumber, ParticipantRound>>;
  readonly paused: boolean;
  readonly finishing: boolean;
  readonly progress: TrainingProgress | undefined;
  readonly trainMs: number;
  /** When the last record was verified, and how long the training rounds since took; the first is left out. */
  readonly recordMs: number | undefined;
  readonly roundsMs: readonly number[];
  readonly curve: readonly MeasuredPoint[];
  /** Of the model that stood after so many rounds, on the data of this tab. */
  readonly measured: { readonly round: number; readonly figures: Figures } | undefined;
  readonly lastSurvivors: number | undefined;
  readonly glimpse: MaskReport['glimpse'] | undefined;
  /** The last that the coordinator told of the others. */
  readonly status: { readonly round: RoundNumber; readonly body: Body<'status'> } | undefined;
  readonly problem: ProblemView | undefined;
}

export function initialParticipant(
  own: ParticipantId,
  binding: Binding,
  coordinatorKey: PublicKey,
  guard: RoundNumber,
): ParticipantState {
  return {
    own,
    binding,
    coordinatorKey,
    phase: 'connecting',
    attempt: 0,
    welcome: undefined,
    ownNonce: undefined,
    plan: undefined,
    head: undefined,
    history: [],
    wantedHead: undefined,
    modelHash: undefined,
    fetching: undefined,
    trainer: 'closed',
    trainerFailures: 0,
    dataAccepted: false,
    info: undefined,
    choice: undefined,
    guard,
    pendingCall: undefined,
    rounds: {},
    paused: false,
    finishing: false,
    progress: undefined,
    trainMs: 0,
    recordMs: undefined,
    roundsMs: [],
    curve: [],
    measured: undefined,
    lastSurvivors: undefined,
    glimpse: undefined,
    status: undefined,
    problem: undefined,
  };
}

/** The plan asks for the person's own files, and none are chosen yet. */
export function isWithoutData({ plan, dataAccepted }: ParticipantState): boolean {
  return plan?.data.kind === 'private' && !dataAccepted;
}
