/** Home: what this is, for whom, the three ways in, and the federations that this browser keeps. */
import { useId, useState } from 'preact/hooks';
import type { KeptFiles, StoredRun } from '../core/application.ts';
import type { ProblemView } from '../core/runView.ts';
import { Button } from './controls.tsx';
import { bytes, dateTime, quantity } from './format.ts';
import { useLoaded } from './loaded.ts';
import { NamedIdentity, useNamedIdentity } from './namedIdentity.tsx';
import { ProblemNote } from './notes.tsx';
import { pastedFragment } from './route.ts';
import { runTitle } from './dashboard.tsx';
import type { OpenRun, Session } from './session.ts';

/** How many people "Try it here" starts. */
export const TRIAL_PARTICIPANTS = 4;

export function go(fragment: string): void {
  location.hash = fragment;
}

export function Home({ session }: { readonly session: Session }) {
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>Train one model together, while everybody’s data stays in their own tab.</h1>
        <p>
          For people who lend an idle GPU, researchers who launch rounds, and organisations whose data must not leave.
          What leaves a tab is a masked update that means nothing until it is added to everyone else’s.
        </p>
      </header>
      <div class="ways">
        <section class="card">
          <h2>Try it here</h2>
          <p>Starts a coordinator and {TRIAL_PARTICIPANTS} participants inside this page. No data leaves it.</p>
          <Button
            primary
            onPress={() => {
              session.trialWanted.value = true;
              go('/try');
            }}
          >
            Try it here
          </Button>
        </section>
        <section class="card">
          <h2>Launch a federation</h2>
          <p>Choose or write a plan, share one link, and watch the model learn. This tab coordinates.</p>
          <a class="button" href="#/launch">
            Launch a federation
          </a>
        </section>
        <JoinWay session={session} />
      </div>
      <InThisTab session={session} />
      <Stored session={session} />
      <FilesKept session={session} />
      <ByName session={session} />
    </>
  );
}

/** Closed until somebody wants it: most federations know nobody's name. */
function ByName({ session }: { readonly session: Session }) {
  const identity = useNamedIdentity(session);
  return (
    <section class="card by-name" aria-labelledby="by-name">
      <h2 id="by-name">Be known by name</h2>
      <details>
        <summary>{identity.value ? 'This browser has a named identity' : 'Only if a plan is to list you'}</summary>
        <NamedIdentity {...{ session, identity }} />
      </details>
    </section>
  );
}

function JoinWay({ session }: { readonly session: Session }) {
  const [pasted, setPasted] = useState('');
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const id = useId();
  const join = (): void => {
    const fragment = pastedFragment(pasted);
    try {
      session.application.readInvite(fragment);
      go(fragment);
    } catch (thrown) {
      setProblem(session.problemOf(thrown));
    }
  };
  return (
    <section class="card">
      <h2>Join with a link</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          join();
        }}
      >
        <label for={id}>Paste the link. You see first what would happen; nothing starts.</label>
        <div class="field-row">
          <input
            id={id}
            class="mono"
            value={pasted}
            autocomplete="off"
            spellcheck={false}
            placeholder="https://…#join=…"
            aria-invalid={problem ? 'true' : undefined}
            aria-describedby={problem ? `${id}-problem` : undefined}
            onInput={(event) => {
              setPasted(event.currentTarget.value);
              setProblem(undefined);
            }}
          />
          <button type="submit" class="button">
            Read the link
          </button>
        </div>
        {problem && <ProblemNote problem={problem} id={`${id}-problem`} />}
      </form>
    </section>
  );
}

function addressOf({ key, view }: OpenRun): string {
  return view.value.role === 'coordinator' ? `#/run/${key}` : `#${key}`;
}

function InThisTab({ session }: { readonly session: Session }) {
  const open = [...session.runs.value.values()];
  const trial = session.trial.value;
  if (open.length === 0 && !trial) return null;
  return (
    <section class="card list">
      <h2>Open in this tab</h2>
      <ul>
        {trial && (
          <li>
            <p>
              <a href="#/try">Try it here</a> <span class="soft">{trial.coordinator.view.value.sentence}</span>
            </p>
            <Button onPress={() => trial.close()}>End the trial</Button>
          </li>
        )}
        {open.map((run) => (
          <li key={run.key}>
            <p>
              <a href={addressOf(run)}>{runTitle(run.view.value)}</a>{' '}
              <span class="soft">{run.view.value.sentence}</span>
            </p>
            <Button onPress={() => run.close()}>Close</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Stored({ session }: { readonly session: Session }) {
  const { application, runs } = session;
  const { value, problem, again } = useLoaded(`${runs.value.size}`, () => application.storedRuns(), session.problemOf);
  const [failed, setFailed] = useState<ProblemView | undefined>(undefined);
  const forget = (federation: string): void => {
    application.forgetRun(federation).then(
      () => {
        setFailed(undefined);
        again();
      },
      (thrown: unknown) => setFailed(session.problemOf(thrown)),
    );
  };
  const closed = value?.filter(({ federation }) => !runs.value.has(federation)) ?? [];
  const wrong = problem ?? failed;
  if (closed.length === 0 && !wrong) return null;
  return (
    <section class="card list">
      <h2>Kept in this browser</h2>
      {wrong && <ProblemNote problem={wrong} />}
      <ul>
        {closed.map((run) => (
          <StoredRow key={run.federation} run={run} forget={() => forget(run.federation)} />
        ))}
      </ul>
    </section>
  );
}

/** A person's own files, for plans that ask for them. */
function FilesKept({ session }: { readonly session: Session }) {
  const { application, runs } = session;
  const { value, problem, again } = useLoaded(`${runs.value.size}`, () => application.keptFiles(), session.problemOf);
  const [failed, setFailed] = useState<ProblemView | undefined>(undefined);
  const forget = (planHash: KeptFiles['planHash']): void => {
    application.forgetFiles(planHash).then(
      () => {
        setFailed(undefined);
        again();
      },
      (thrown: unknown) => setFailed(session.problemOf(thrown)),
    );
  };
  const wrong = problem ?? failed;
  if ((value ?? []).length === 0 && !wrong) return null;
  return (
    <section class="card list">
      <h2>Your files kept in this browser</h2>
      {wrong && <ProblemNote problem={wrong} />}
      <ul>
        {value?.map(({ planHash, planName, files, bytes: size }) => (
          <li key={planHash}>
            <p>
              {planName}{' '}
              <span class="soft">
                {quantity(files, 'file', 'files')}, {bytes(size)}
              </span>
            </p>
            <Button onPress={() => forget(planHash)}>
              Forget them<span class="visually-hidden">: files for {planName}</span>
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function StoredRow({ run, forget }: { readonly run: StoredRun; readonly forget: () => void }) {
  const [asked, ask] = useState(false);
  return (
    <li>
      <p>
        {run.name}{' '}
        <span class="soft">
          {run.completed} of {quantity(run.of, 'round', 'rounds')}, launched {dateTime(run.launchedMs)}
        </span>
      </p>
      <div class="buttons">
        {asked ? (
          <>
            <Button onPress={forget}>Forget model and ledger</Button>
            <Button onPress={() => ask(false)}>Keep</Button>
          </>
        ) : (
          <>
            <a class="button" href={`#/run/${run.federation}`} aria-label={`Resume ${run.name}`}>
              Resume
            </a>
            <Button onPress={() => ask(true)}>Forget</Button>
          </>
        )}
      </div>
    </li>
  );
}
