/** The runs that are open in this tab, whichever screen is shown: going Home does not end one. */
import { effect, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Application, PlanDraft, Run } from '../core/application.ts';
import type { ProblemView, RunPhase, RunView } from '../core/runView.ts';
import type { SavedModel } from '../core/savedModel.ts';
import { WHOLE_SHARE } from '../core/share.ts';
import { share } from './share.ts';

export interface OpenRun {
  /** The federation that is coordinated here, or the invite's fragment. */
  readonly key: string;
  readonly run: Run;
  readonly view: ReadonlySignal<RunView>;
  readonly closed: ReadonlySignal<boolean>;
  close(): void;
}

/** "Try it here": one coordinator, some participants, all in this tab. */
export interface Trial {
  readonly coordinator: OpenRun;
  readonly participants: readonly OpenRun[];
  close(): void;
}

export interface Session {
  readonly application: Application;
  readonly problemOf: (thrown: unknown) => ProblemView;
  readonly runs: ReadonlySignal<ReadonlyMap<string, OpenRun>>;
  readonly trial: ReadonlySignal<Trial | undefined>;
  /** Somebody asked for the trial, on whichever screen; it starts on its own. */
  readonly trialWanted: Signal<boolean>;
  /** Plans as they were typed, by the hash of the offered plan that each began with, '' for none; outlives the screen. */
  readonly written: Signal<ReadonlyMap<string, string>>;
  /** Models that were chosen to begin with, by the text of their plan; they outlive the screen too. */
  readonly models: Signal<ReadonlyMap<string, SavedModel>>;
  launch(draft: PlanDraft, saved?: SavedModel): Promise<OpenRun>;
  resume(federation: string): Promise<OpenRun>;
  join(fragment: string): Promise<OpenRun>;
  tryHere(participants: number): Promise<Trial>;
  closeAll(): void;
}

const ENDED: readonly RunPhase[] = ['finished', 'left', 'refused', 'failed'];

export function isOver(phase: RunPhase): boolean {
  return ENDED.includes(phase);
}

export function createSession(application: Application): Session {
  const runs = signal<ReadonlyMap<string, OpenRun>>(new Map());
  const trial = signal<Trial | undefined>(undefined);
  const trialWanted = signal(false);
  const written = signal<ReadonlyMap<string, string>>(new Map());
  const models = signal<ReadonlyMap<string, SavedModel>>(new Map());
  const starting = new Map<string, Promise<OpenRun>>();

  const add = (key: string, run: Run): OpenRun => {
    const opened = openRun(key, run, () => {
      const rest = new Map(runs.value);
      if (rest.get(key) === opened && rest.delete(key)) runs.value = rest;
    });
    runs.value = new Map(runs.value).set(key, opened);
    return opened;
  };

  // Asked twice for the same run, by a screen that is shown again, it must be started once.
  const once = (key: string, start: () => Promise<Run>): Promise<OpenRun> => {
    const open = runs.value.get(key);
    if (open !== undefined) return Promise.resolve(open);
    const pending = starting.get(key) ?? start().then((run) => add(key, run));
    starting.set(key, pending);
    return pending.finally(() => starting.delete(key));
  };

  const startTrial = async (participants: number): Promise<Trial> => {
    const local = await application.tryHere(participants);
    const opened: Trial = {
      coordinator: openRun('coordinator', local.coordinator),
      participants: local.participants.map((run, i) => openRun(`participant ${i + 1}`, run)),
      close: () => {
        trialWanted.value = false;
        trial.value = undefined;
        local.close();
      },
    };
    trial.value = opened;
    return opened;
  };
  let startingTrial: Promise<Trial> | undefined;

  return {
    application,
    problemOf: (thrown) => application.problem(thrown),
    runs,
    trial,
    trialWanted,
    written,
    models,
    async launch(draft, saved) {
      const { federation, run } = await application.launch(draft, saved);
      return add(federation, run);
    },
    resume: (federation) => once(federation, () => application.resume(federation)),
    join: (fragment) => once(fragment, () => application.join(fragment)),
    tryHere(participants) {
      if (trial.value !== undefined) return Promise.resolve(trial.value);
      startingTrial ??= startTrial(participants).finally(() => (startingTrial = undefined));
      return startingTrial;
    },
    closeAll() {
      for (const open of runs.value.values()) open.close();
      trial.value?.close();
    },
  };
}

function openRun(key: string, run: Run, closing?: () => void): OpenRun {
  const view = signal(run.view());
  const closed = signal(false);
  const stop = run.onChange(() => (view.value = run.view()));
  // A run begins with the whole.
  let told = WHOLE_SHARE;
  const stopShare = effect(() => {
    if (share.value === told) return;
    told = share.value;
    run.actions.share(told);
  });
  return {
    key,
    run,
    view,
    closed,
    close() {
      if (closed.value) return;
      closed.value = true;
      stop();
      stopShare();
      run.close();
      closing?.();
    },
  };
}

/** Closing this tab would cost other people something. */
export function inTheMiddle(session: Session): boolean {
  return [...session.runs.value.values()].some(({ view }) => {
    const { phase, role, round } = view.value;
    return phase === 'running' && (role === 'coordinator' || round !== undefined);
  });
}
