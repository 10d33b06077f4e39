/** An application behind the screens that holds views still, and notes what the screens ask of it. */
import type { Application, LocalFederation, OwnFilesView, PlanDraft, Run } from '../../src/core/application.ts';
import { HushError, asHushError } from '../../src/core/errors.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Admission, Plan } from '../../src/core/plan.ts';
import type { RunView } from '../../src/core/runView.ts';
import { hash, namedPlan, plan, spiralPlan } from './fixturePlans.ts';
import { choosingRun, fakeOwnFiles, ownFilesStates } from './fixtureFiles.ts';
import { coordinating, running } from './fixtures.ts';
import { fakeTryOut, triedRuns } from './fixtureTry.ts';
import { coordinatorStates, participantStates, trialView } from './fixtureStates.ts';

export interface FakeRun extends Run {
  readonly calls: string[];
  closed: boolean;
  show(view: RunView): void;
}

export function fakeRun(initial: RunView, own?: OwnFilesView): FakeRun {
  let view = initial;
  const handlers = new Set<() => void>();
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  return {
    calls,
    ownFiles: own && fakeOwnFiles(own, calls),
    closed: false,
    actions: {
      pause: note('pause'),
      resume: note('resume'),
      share: (percent) => void calls.push(`share ${percent}`),
      measureAgain: note('measureAgain'),
      finish: note('finish'),
      leave: note('leave'),
      startNow: note('startNow'),
      save: (what) => {
        calls.push(`save ${what}`);
        return what === 'metrics.csv'
          ? Promise.reject(
              new HushError('export/failed', 'The file "metrics.csv" could not be written.', {
                advice: 'Allow downloads and try again.',
              }),
            )
          : Promise.resolve();
      },
    },
    tryOut: () => fakeTryOut(view, calls),
    view: () => view,
    onChange(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    close() {
      this.closed = true;
    },
    show(next) {
      view = next;
      for (const handler of handlers) handler();
    },
  };
}

function draft(of: Plan): PlanDraft {
  return { plan: of, planHash: hash(of.name.length), text: JSON.stringify(of, null, 2) };
}

export interface FakeOptions {
  readonly coordinator?: RunView;
  readonly participant?: RunView;
  readonly stored?: boolean;
  /** This browser keeps files of the person's own. */
  readonly filesKept?: boolean;
  readonly plansFail?: boolean;
  /** The offered plans come when this is resolved. */
  readonly plansAfter?: Promise<void>;
  readonly offered?: readonly Plan[];
  readonly resumeFails?: boolean;
  /** The plan asks the participant for files. */
  readonly ownFiles?: OwnFilesView;
  readonly admission?: Admission;
  /** This browser has a named identity. */
  readonly named?: boolean;
}

export interface FakeApplication extends Application {
  readonly calls: string[];
  readonly runs: FakeRun[];
}

export const FRAGMENT = 'join=eyJ2IjoxfQ';
export const FEDERATION = '7f3a90c21b44d8e6';

export function fakeApplication(options: FakeOptions = {}): FakeApplication {
  const calls: string[] = [];
  const runs: FakeRun[] = [];
  let kept = options.stored !== false;
  let filesKept = options.filesKept === true;
  let named = options.named === true;
  const start = (view: RunView, own?: OwnFilesView): FakeRun => {
    const run = fakeRun(view, own);
    runs.push(run);
    return run;
  };
  return {
    calls,
    runs,
    offeredPlans: () =>
      options.plansFail
        ? Promise.reject(
            new HushError('plan/unreachable', 'The plans of this server could not be loaded: status 503.', {
              advice: 'Try again, or paste a plan below.',
            }),
          )
        : (options.plansAfter ?? Promise.resolve()).then(() => (options.offered ?? [plan, spiralPlan]).map(draft)),
    readPlan(text) {
      try {
        const { plan: read } = parsePlan(new TextEncoder().encode(text));
        return Promise.resolve({ plan: read, planHash: hash(text.length), text });
      } catch (thrown) {
        return Promise.reject(asHushError(thrown, 'plan/invalid'));
      }
    },
    readModel(files) {
      calls.push(`read ${files.map(({ path }) => path).join(', ')}`);
      if (!files.some(({ path }) => path.endsWith('.safetensors'))) {
        return Promise.reject(
          new HushError('start/files', 'Of a saved model these files were chosen: "model.json".', {
            advice: 'Choose one file that ends in .safetensors, or model.json and weights.bin together.',
          }),
        );
      }
      const modelHash = hash(9);
      return Promise.resolve({
        modelHash,
        saved: { tensors: [], planText: undefined, statedHash: modelHash },
        planText: JSON.stringify({ ...plan, start: { modelHash } }, null, 2),
      });
    },
    storedRuns: () =>
      Promise.resolve(
        kept
          ? [
              {
                federation: FEDERATION,
                name: plan.name,
                launchedMs: Date.UTC(2026, 10, 21, 9, 30),
                completed: 11,
                of: 30,
              },
            ]
          : [],
      ),
    forgetRun(federation) {
      calls.push(`forget ${federation}`);
      kept = false;
      return Promise.resolve();
    },
    keptFiles: () =>
      Promise.resolve(
        filesKept ? [{ planHash: hash(8), planName: 'Penguins, by island', files: 3, bytes: 51_420 }] : [],
      ),
    forgetFiles(planHash) {
      calls.push(`forget files ${planHash.slice(0, 4)}`);
      filesKept = false;
      return Promise.resolve();
    },
    launch(chosen, saved) {
      calls.push(`launch ${chosen.plan.name}${saved ? ' from a saved model' : ''}`);
      return Promise.resolve({ federation: FEDERATION, run: start(options.coordinator ?? coordinating) });
    },
    resume(federation) {
      calls.push(`resume ${federation}`);
      return options.resumeFails
        ? Promise.reject(
            new HushError('run/open-elsewhere', 'This federation is open in another tab of this browser.', {
              advice: 'Go on there, or close that tab and try again.',
            }),
          )
        : Promise.resolve(start(options.coordinator ?? coordinating));
    },
    readInvite(fragment) {
      if (fragment !== FRAGMENT) {
        throw new HushError(
          'invite/not-a-link',
          `The link’s part after # is "${fragment.slice(0, 24)}", expected it to begin with "join=".`,
          { advice: 'Copy the whole link and paste it again.' },
        );
      }
      return {
        admission: options.admission ?? 'link',
        planHash: hash(1),
        coordinatorKey: hash(5),
        federation: hash(3).slice(0, 32),
        host: 'train.example.org',
      };
    },
    join(fragment) {
      calls.push(`join ${fragment}`);
      return Promise.resolve(start(options.participant ?? running, options.ownFiles));
    },
    tryHere(participants): Promise<LocalFederation> {
      calls.push(`try ${participants}`);
      const coordinator = start(trialView(-1));
      return Promise.resolve({
        coordinator,
        participants: Array.from({ length: participants }, (_, i) => start(trialView(i))),
        close: () => void calls.push('end the trial'),
      });
    },
    namedIdentity: () => Promise.resolve(named ? { key: hash(6) } : undefined),
    makeNamedIdentity() {
      calls.push('make a named identity');
      named = true;
      return Promise.resolve({ key: hash(6) });
    },
    forgetNamedIdentity() {
      calls.push('forget the named identity');
      named = false;
      return Promise.resolve();
    },
    problem(thrown) {
      const { code, message, advice } = asHushError(thrown, 'screen/failed');
      return { code, message, advice };
    },
  };
}

/** What the gallery and the accessibility tests go through: name, address, application, and whether Join is pressed. */
export interface Exhibit {
  readonly name: string;
  readonly address: string;
  readonly options: FakeOptions;
  /** Label of a button that is pressed once the screen is there. */
  readonly press?: string;
  /** What is pressed next, one after the other. */
  readonly next?: readonly string[];
}

export function exhibits(): readonly Exhibit[] {
  return [
    { name: 'home', address: '#/', options: {} },
    { name: 'home-named', address: '#/', options: { named: true } },
    { name: 'home-files', address: '#/', options: { filesKept: true } },
    { name: 'home-empty', address: '#/', options: { stored: false } },
    { name: 'launch', address: '#/launch', options: {} },
    { name: 'launch-start', address: '#/launch', options: { offered: [{ ...plan, start: { modelHash: hash(9) } }] } },
    { name: 'launch-named', address: '#/launch', options: { offered: [namedPlan] } },
    { name: 'launch-no-plans', address: '#/launch', options: { plansFail: true } },
    { name: 'join', address: `#${FRAGMENT}`, options: {} },
    { name: 'join-named', address: `#${FRAGMENT}`, options: { admission: 'named', named: true } },
    { name: 'join-named-without', address: `#${FRAGMENT}`, options: { admission: 'named' } },
    { name: 'join-bad-link', address: '#join=nonsense', options: {} },
    { name: 'try', address: '#/try', options: {} },
    { name: 'try-running', address: '#/try', options: {}, press: 'Start 4 participants' },
    { name: 'unknown', address: '#/nowhere', options: {} },
    { name: 'run-elsewhere', address: `#/run/${FEDERATION}`, options: { resumeFails: true } },
    ...Object.entries(coordinatorStates).map(([state, coordinator]) => ({
      name: `coordinator-${state}`,
      address: `#/run/${FEDERATION}`,
      options: { coordinator },
    })),
    ...Object.entries(participantStates).map(([state, participant]) => ({
      name: `participant-${state}`,
      address: `#${FRAGMENT}`,
      options: { participant },
      press: 'Join',
    })),
    ...Object.entries(triedRuns).map(([kind, participant]) => ({
      name: `try-${kind}`,
      address: `#${FRAGMENT}`,
      options: { participant },
      press: 'Join',
      next: ['Try it', kind === 'text' ? 'Write on' : 'Next held-out example'],
    })),
    {
      name: 'saves',
      address: `#/run/${FEDERATION}`,
      options: { coordinator: coordinatorStates['finished'] ?? coordinating },
      next: ['Save files'],
    },
    ...Object.entries(ownFilesStates).map(([state, ownFiles]) => ({
      name: `files-${state}`,
      address: `#${FRAGMENT}`,
      options: { participant: choosingRun(ownFiles), ownFiles },
      press: 'Join',
    })),
  ];
}
