/** A round and its groups as the coordinator holds them. */
import type { Bytes } from '../core/bytes.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber, Signature } from '../core/ids.ts';
import { IdMap } from '../core/idMap.ts';
import type { RoundKind } from '../core/sumSpec.ts';
import type { Survivor } from './memberSets.ts';
import type { Body } from './messages.ts';
import type { Applied } from './participantState.ts';
import type { DrawEntry } from './record.ts';
import type { CheckedAdvert, Cohort, Roster } from './roster.ts';
import type { ConsistencyTuple } from './statements.ts';

/** What a round does as a whole. Between `sharing` and `combining` its groups go on by themselves. */
export type CoordinatorStep =
  | 'adverts'
  | 'rostering'
  /** Only with groups: the cohort is fixed, its members reveal what they committed to. */
  | 'revealing'
  | 'drawing'
  | 'sharing'
  /** Shares delivered in every group that is left; waits for the round before to end. */
  | 'ready'
  | 'running'
  | 'combining'
  | 'confirming'
  | 'recording'
  | 'done'
  | 'abandoned';

/** Where one group stands, in order. */
export type GroupStep =
  | 'sharing'
  | 'ready'
  | 'training'
  | 'agreeing'
  /** That the round is spent is being stored. */
  | 'marking'
  | 'unmasking'
  | 'summing'
  | 'summed'
  | 'lost';

export interface CoordinatorGroup {
  readonly index: number;
  readonly step: GroupStep;
  readonly stepSinceMs: number;
  /** When the step ends at the latest; undefined where it waits for work or for the round before. */
  readonly untilMs: number | undefined;
  readonly roster: Roster;
  readonly shares: Readonly<Record<ParticipantId, Body<'share'>>>;
  readonly u1: readonly ParticipantId[];
  readonly u1Root: Hash | undefined;
  /** Masked updates that are being added. */
  readonly adding: readonly ParticipantId[];
  readonly masked: Readonly<Record<ParticipantId, Hash>>;
  readonly survivors: readonly Survivor[];
  readonly tuple: ConsistencyTuple | undefined;
  readonly agreements: Readonly<Record<ParticipantId, Signature>>;
  readonly answers: Readonly<Record<ParticipantId, Body<'unmask'>>>;
  readonly confirmations: Readonly<Record<ParticipantId, Signature>>;
  /** Unmask shares were asked for. */
  readonly spent: boolean;
  /** Dealer to those of its holders whose boxes do not open. */
  readonly complaints: Readonly<Record<ParticipantId, readonly ParticipantId[]>>;
  /** Members that closed, refused or were reloaded since the roster was made: not waited for. */
  readonly absent: readonly ParticipantId[];
  /** Why there is no sum of it. */
  readonly lost: string | undefined;
}

export interface CoordinatorRound {
  readonly number: RoundNumber;
  readonly step: CoordinatorStep;
  readonly stepSinceMs: number;
  /** When the step ends at the latest; undefined where it waits for people. */
  readonly untilMs: number | undefined;
  readonly adverts: IdMap<ParticipantId, CheckedAdvert>;
  /** Every key that was advertised, with who did so first. */
  readonly keys: IdMap<PublicKey, ParticipantId>;
  /** Whose answer the call, or the request to reveal, still waits for. */
  readonly awaited: IdMap<ParticipantId, true>;
  readonly cohort: Cohort | undefined;
  readonly reveals: IdMap<ParticipantId, Bytes>;
  /** Undefined in plans without groups. */
  readonly draw: DrawEntry | undefined;
  readonly groups: readonly CoordinatorGroup[];
  /** Participant to its group's place in `groups`. */
  readonly groupOf: IdMap<ParticipantId, number>;
  readonly kind: RoundKind;
  readonly modelHash: Hash | undefined;
  readonly beganMs: number;
  readonly sumSpecHash: Hash | undefined;
  /** That unmask shares are asked for was stored. */
  readonly spent: boolean;
  readonly applied: Applied | undefined;
}

export function emptyRound(number: RoundNumber, nowMs: number): CoordinatorRound {
  return {
    number,
    step: 'adverts',
    stepSinceMs: nowMs,
    untilMs: undefined,
    adverts: IdMap.empty(),
    keys: IdMap.empty(),
    awaited: IdMap.empty(),
    cohort: undefined,
    reveals: IdMap.empty(),
    draw: undefined,
    groups: [],
    groupOf: IdMap.empty(),
    kind: 'train',
    modelHash: undefined,
    beganMs: nowMs,
    sumSpecHash: undefined,
    spent: false,
    applied: undefined,
  };
}

export function emptyGroup(index: number, roster: Roster, nowMs: number): CoordinatorGroup {
  return {
    index,
    step: 'sharing',
    stepSinceMs: nowMs,
    untilMs: undefined,
    roster,
    shares: {},
    u1: [],
    u1Root: undefined,
    adding: [],
    masked: {},
    survivors: [],
    tuple: undefined,
    agreements: {},
    answers: {},
    confirmations: {},
    spent: false,
    complaints: {},
    absent: [],
    lost: undefined,
  };
}
