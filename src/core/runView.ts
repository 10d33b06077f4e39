/** A running federation as a screen shows it: plain data, derived from a role's state. Times are milliseconds. */
import type { Counts } from './counts.ts';
import type { EngineChoice } from './engine.ts';
import type { FederationId, Hash, ParticipantId, RoundNumber } from './ids.ts';
import type { Metric, MetricName } from './metrics.ts';
import type { Plan } from './plan.ts';
import type { StatisticsView } from './statistics.ts';
import type { RoundKind } from './sumSpec.ts';

/** The steps of a round, in order, as the picture names them. */
export const ROUND_STEPS = ['keys', 'shares', 'train', 'masked', 'agree', 'unmask', 'confirm'] as const;
export type RoundStep = (typeof ROUND_STEPS)[number];

export type RunPhase =
  /** Reaching the coordinator (participant) or the signalling server (coordinator). */
  | 'connecting'
  /** Fetching and verifying plan, model and ledger; loading data; choosing an engine. */
  | 'preparing'
  /** For the files that this person is to train on. */
  | 'choosing'
  /** For enough people. */
  | 'waiting'
  | 'running'
  | 'paused'
  /** All rounds done, or stopped early by the plan. */
  | 'finished'
  /** Left of one's own will. */
  | 'left'
  /** The coordinator cannot be reached; data and last model are kept, and the run goes on when it comes back. */
  | 'coordinator-away'
  /** Refused: another plan, another key, another version. Final. */
  | 'refused'
  | 'failed';

/** Where one person is in the current round. */
export type PersonState =
  | 'joining'
  | 'ready'
  | 'sharing'
  | 'training'
  | 'sending'
  | 'masked'
  | 'agreed'
  | 'unmasked'
  | 'confirmed'
  | 'waiting'
  | 'asleep'
  | 'left';

export interface PersonView {
  readonly id: ParticipantId;
  readonly you: boolean;
  /** By the plan's list, once its key has signed for this round; undefined where nobody can tell. */
  readonly name: string | undefined;
  /** From 0; undefined without groups, and before they are drawn. */
  readonly group: number | undefined;
  readonly state: PersonState;
  /** In this round's roster; others enter at a coming round. */
  readonly inRound: boolean;
  readonly engine: string;
  /** Of the current step, 0 to 1, where known. */
  readonly fraction: number | undefined;
  readonly samples: number | undefined;
  readonly bytesSent: number;
}

export interface RoundView {
  readonly number: RoundNumber;
  /** Completed training rounds, and how many the plan asks for. */
  readonly completed: number;
  readonly of: number;
  /** `statistics` for a first one that adds up what the data is like, `evaluate` for the last one, which only measures. */
  readonly kind: RoundKind;
  readonly step: RoundStep;
  /** Of the step, 0 to 1. */
  readonly stepFraction: number;
  /** n of the roster, and how many of them the round needs; with groups, of all that are still in it together. */
  readonly size: number;
  readonly threshold: number;
  /** Into how many groups the round is cut, 1 without groups, and how many of them are lost. */
  readonly groups: number;
  readonly lostGroups: number;
  /** Masked updates that arrived. */
  readonly masked: number;
  /** The sum is unmasked: the chords fade. */
  readonly unmasked: boolean;
}

/** Figures of the model that stood after `round` training rounds, over the people who measured it. */
export interface MeasuredPoint {
  readonly round: RoundNumber;
  /** What the plan is judged by; its values, and the counts behind them, are undefined where nothing was measured. */
  readonly metric: MetricName;
  readonly testMetric: number | undefined;
  readonly testAccuracy: number | undefined;
  readonly testLoss: number | undefined;
  readonly testCounts: Counts | undefined;
  readonly validationMetric: number | undefined;
  readonly validationAccuracy: number | undefined;
  readonly validationLoss: number | undefined;
  readonly validationCounts: Counts | undefined;
  readonly trainingLoss: number | undefined;
  readonly people: number;
  /** Of the test part. */
  readonly samples: number;
  readonly validationSamples: number;
}

/** What the model scored on the data of this tab alone. */
export interface OwnScores {
  /** Training rounds after which the model stood. */
  readonly round: RoundNumber;
  readonly part: 'validation' | 'test';
  readonly metric: Metric;
  readonly loss: number;
  readonly samples: number;
}

export interface WaitView {
  /** What is waited for, a phrase: "2 of 8 masked updates". */
  readonly for: string;
  /** When the wait ends at the latest; undefined where nothing limits it. */
  readonly untilMs: number | undefined;
}

export interface EventView {
  readonly atMs: number;
  readonly text: string;
  readonly kind: 'info' | 'good' | 'warn' | 'bad';
}

export interface ProblemView {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

/** Whose updates are added to one's own before anybody sees a sum. */
export interface GroupView {
  /** From 0, out of so many. */
  readonly index: number;
  readonly of: number;
  readonly members: number;
  /** Of the others in it, those who can be told by name. */
  readonly names: readonly string[];
}

/** Somebody who broke the rules and is in no further round. */
export interface CulpritView {
  readonly id: ParticipantId;
  readonly name: string | undefined;
}

export interface RunView {
  readonly role: 'coordinator' | 'participant';
  readonly federation: FederationId | undefined;
  readonly planHash: Hash | undefined;
  /** Undefined until a participant has fetched and checked it. */
  readonly plan: Plan | undefined;
  readonly you: ParticipantId | undefined;
  readonly phase: RunPhase;
  /** What is happening, one sentence without the wait. */
  readonly sentence: string;
  readonly waiting: WaitView | undefined;
  readonly round: RoundView | undefined;
  readonly people: readonly PersonView[];
  readonly curve: readonly MeasuredPoint[];
  /** Of everyone's data together, where the plan asks for them and the first round is done. */
  readonly statistics: StatisticsView | undefined;
  /** Shown to this participant alone; the coordinator has none. */
  readonly own: OwnScores | undefined;
  readonly secondsPerRound: number | undefined;
  readonly trainSecondsPerRound: number | undefined;
  /** Application frames of this tab. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Means over participants and rounds (coordinator), or this tab's mean a round (participant). */
  readonly bytesUpPerRound: number | undefined;
  readonly bytesDownPerRound: number | undefined;
  readonly engine: EngineChoice | undefined;
  readonly modelHash: Hash | undefined;
  readonly parameters: number | undefined;
  readonly ledger: { readonly records: number; readonly abandoned: number; readonly head: Hash | undefined };
  /** Own group of the current round; the coordinator has none. */
  readonly group: GroupView | undefined;
  /**
   * Among how many others one update hid in the last round: |survivors| − 1 − known colluders, of one's own group; for the
   * coordinator, of the smallest group.
   */
  readonly anonymitySet: number | undefined;
  /** Known to see more than a sum: 1 where coordinator and participant are in the same browser. */
  readonly knownColluders: number;
  /** Left out by the coordinator, who caught them. */
  readonly culprits: readonly CulpritView[];
  /** What was dropped or refused, by code. */
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
  readonly glimpse: { readonly stays: readonly number[]; readonly sent: readonly string[] } | undefined;
  readonly events: readonly EventView[];
  readonly problem: ProblemView | undefined;
  /** The link to share; the coordinator's only. */
  readonly inviteLink: string | undefined;
  readonly startedMs: number;
}

/** What can be saved: `model.json` comes with its `weights.bin`. */
export const MODEL_FILES = ['model.safetensors', 'model.json', 'model-card.md', 'plan.json'] as const;
/** What a coordinator has besides. */
export const RUN_FILES = ['metrics.csv', 'metrics.jsonl', 'ledger.jsonl'] as const;
export type SavedFile = (typeof MODEL_FILES)[number] | (typeof RUN_FILES)[number];

/** What a person can do in a run; what does not apply is ignored. */
export interface RunActions {
  pause(): void;
  resume(): void;
  /** Trains for so many percent of the time, see core/share.ts; a participant's only. */
  share(percent: number): void;
  /** Measures the engines anew, when the worker is free; a participant's only. */
  measureAgain(): void;
  /** Completes the current round, then leaves. */
  finish(): void;
  leave(): void;
  /** The coordinator's: starts with those who are here, without waiting for the target. */
  startNow(): void;
  /** Files of the model and of the run, as downloads. */
  save(what: SavedFile): Promise<void>;
}
