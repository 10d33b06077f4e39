/** What the screens need from the rest, and nothing else: main.ts provides it, the screen gallery and tests fake it. */
import type { DataReport, ReadProgress } from './dataReport.ts';
import type { ExpectedData } from './dataSchema.ts';
import type { ProblemView, RunActions, RunView } from './runView.ts';
import type { Admission, Plan } from './plan.ts';
import type { Hash } from './ids.ts';
import type { Unsubscribe } from './ports.ts';
import type { SavedModel } from './savedModel.ts';
import type { TryOut } from './tryOut.ts';
import type { SourceFile } from './sourceFile.ts';

/** Files that were added together. */
export interface AddedFiles {
  readonly id: number;
  /** Of the file, of the folder, or how many they are. */
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

export interface OwnFilesView {
  /** What the plan expects; undefined until the plan is here. */
  readonly expected: ExpectedData | undefined;
  readonly added: readonly AddedFiles[];
  /** Undefined while nothing is being read; without progress at its very beginning. */
  readonly reading: { readonly progress: ReadProgress | undefined } | undefined;
  readonly report: DataReport | undefined;
  readonly problem: ProblemView | undefined;
  /** From then on these are what is trained on. */
  readonly accepted: boolean;
  /** In this browser, beyond the life of this tab. */
  readonly kept: boolean;
}

/** A person's own files for a plan that asks for them. They go to this tab's worker, and nowhere else. */
export interface OwnFiles {
  view(): OwnFilesView;
  onChange(handler: () => void): Unsubscribe;
  /** Reads them beside those that are there; what goes wrong is in the view, and loses nothing. */
  add(files: readonly SourceFile[]): Promise<void>;
  /** Takes back what was added together, and reads the rest anew. */
  remove(id: number): Promise<void>;
  /** Takes back what is being read. */
  stop(): void;
  /** Trains on them from now on; keeps them in this browser only if asked. */
  accept(keep: boolean): Promise<void>;
  /** This browser keeps them no longer; this tab goes on with them. */
  forget(): Promise<void>;
}

/** A run in this tab, observed and acted on. */
export interface Run {
  /** Undefined where nobody is asked for files: with public data, and for the coordinator. */
  readonly ownFiles?: OwnFiles | undefined;
  readonly actions: RunActions;
  /** Opens what trying the model needs; undefined where there is no model yet, or nothing to give it. */
  tryOut(): TryOut | undefined;
  /** The latest view. */
  view(): RunView;
  /** Called at most once a frame after the view changed. */
  onChange(handler: () => void): Unsubscribe;
  close(): void;
}

/** Kept by this browser: a federation that it coordinates, and can take up again. */
export interface StoredRun {
  readonly federation: string;
  readonly name: string;
  readonly launchedMs: number;
  readonly completed: number;
  readonly of: number;
}

/** Files that this browser was asked to keep for a plan. */
export interface KeptFiles {
  readonly planHash: Hash;
  readonly planName: string;
  readonly files: number;
  readonly bytes: number;
}

/** A plan offered or written on the Launch screen. */
export interface PlanDraft {
  readonly plan: Plan;
  readonly planHash: Hash;
  readonly text: string;
}

/** A model to begin with, from files that were saved before. */
export interface StartingModel {
  readonly modelHash: Hash;
  /** The plan that it came from, which now begins with it. */
  readonly planText: string;
  readonly saved: SavedModel;
}

/** An identity that a person made on purpose, to be told by name in plans that list its key. */
export interface NamedIdentityView {
  /** Ed25519, 64 hexadecimal digits: what is given to whoever writes the plan. */
  readonly key: string;
}

/** What an invite says before anything is fetched. */
export interface InviteView {
  readonly admission: Admission;
  readonly planHash: Hash;
  readonly coordinatorKey: string;
  readonly federation: string;
  /** Where the coordinator is reached: this server's own host. */
  readonly host: string;
}

/** "Try it here": a coordinator and some participants inside this page. */
export interface LocalFederation {
  readonly coordinator: Run;
  readonly participants: readonly Run[];
  close(): void;
}

export interface Application {
  /** Plans that this server offers. @throws HushError when they cannot be loaded. */
  offeredPlans(): Promise<readonly PlanDraft[]>;
  /** @throws HushError `plan/…` naming field, value and what was expected. */
  readPlan(text: string): Promise<PlanDraft>;
  storedRuns(): Promise<readonly StoredRun[]>;
  forgetRun(federation: string): Promise<void>;
  /** Of a person's own, for plans that ask for them. */
  keptFiles(): Promise<readonly KeptFiles[]>;
  forgetFiles(planHash: Hash): Promise<void>;
  /** @throws HushError `start/…`, `safetensors/…`, naming the file and what was expected of it. */
  readModel(files: readonly SourceFile[]): Promise<StartingModel>;
  /** `saved`: the model that the plan begins with, where it does. @throws HushError `start/…`. */
  launch(draft: PlanDraft, saved?: SavedModel): Promise<{ readonly federation: string; readonly run: Run }>;
  /** Takes a stored federation up again. @throws HushError `run/unknown`, `run/open-elsewhere`. */
  resume(federation: string): Promise<Run>;
  /** @throws HushError `invite/…` naming the part, its value and what was expected. */
  readInvite(fragment: string): InviteView;
  join(fragment: string): Promise<Run>;
  tryHere(participants: number): Promise<LocalFederation>;
  /** Of this browser; undefined until somebody makes one. */
  namedIdentity(): Promise<NamedIdentityView | undefined>;
  /** Gives the one that there is, or makes one. @throws HushError `crypto/unsupported`, `store/…`. */
  makeNamedIdentity(): Promise<NamedIdentityView>;
  /** For good: plans that list its key admit this browser no more. */
  forgetNamedIdentity(): Promise<void>;
  problem(thrown: unknown): ProblemView;
}
