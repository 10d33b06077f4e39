/** Launch: choose a plan, change it as JSON, see what it means for people, and open the federation. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { PlanDraft } from '../core/application.ts';
import type { Plan } from '../core/plan.ts';
import type { ProblemView } from '../core/runView.ts';
import { AdmissionForm } from './admission.tsx';
import { Button, Facts } from './controls.tsx';
import { CoordinatorSees, Limits } from './disclosure.tsx';
import { shortHash } from './format.ts';
import { go } from './home.tsx';
import { useLoaded } from './loaded.ts';
import type { Loaded } from './loaded.ts';
import { ProblemNote } from './notes.tsx';
import { fewestSummed, meanGroup, planFacts } from './planFacts.ts';
import type { Session } from './session.ts';

/** While somebody types, the plan is read this long after the last key. */
const READ_AFTER_MS = 250;

/** What was typed, by the plan it began with, so that looking at another plan loses nothing; outlives the screen. */
const edited = new Map<string, string>();

export function Launch({ session }: { readonly session: Session }) {
  const { application } = session;
  const offered = useLoaded('plans', () => application.offeredPlans(), session.problemOf);
  const [chosen, choose] = useState('');
  const [text, setText] = useState('');
  const read = useRead(session, text);
  const [launching, setLaunching] = useState(false);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const start = (draft: PlanDraft): void => {
    choose(draft.planHash);
    setText(edited.get(draft.planHash) ?? draft.text);
  };
  useEffect(() => {
    const first = offered.value?.[0];
    if (chosen === '' && first) start(first);
  }, [offered.value]);
  const original = offered.value?.find(({ planHash }) => planHash === chosen);
  const type = (changed: string): void => {
    edited.set(chosen, changed);
    setText(changed);
  };
  const launch = (): void => {
    if (!read.draft) {
      field.current?.focus();
      return;
    }
    setLaunching(true);
    setProblem(undefined);
    session.launch(read.draft).then(
      ({ key }) => go(`/run/${key}`),
      (thrown: unknown) => {
        setLaunching(false);
        setProblem(session.problemOf(thrown));
      },
    );
  };
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>Launch a federation</h1>
        <p>This tab coordinates: it adds masked updates up and gives out the next model. It must stay open.</p>
      </header>
      <div class="columns">
        <div class="stack">
          <Offered offered={offered} chosen={chosen} start={start} />
          <AdmissionForm {...{ text, type }} />
          <Editor
            {...{ text, type, field }}
            problem={read.problem}
            reset={original && original.text !== text ? () => type(original.text) : undefined}
          />
        </div>
        <section class="card summary" aria-labelledby="summary">
          <h2 id="summary">What will happen</h2>
          {read.draft ? (
            <Summary draft={read.draft} />
          ) : (
            <p class="empty">{read.problem ? 'Correct the plan first.' : 'Reading the plan.'}</p>
          )}
          {problem && <ProblemNote problem={problem} />}
          <Button primary unavailable={launching || (!read.draft && !read.problem)} onPress={launch}>
            {launching ? 'Launching' : 'Launch'}
          </Button>
          <p class="hint">Nobody can join before you share the link, which comes next.</p>
        </section>
      </div>
    </>
  );
}

function Offered({
  offered,
  chosen,
  start,
}: {
  readonly offered: Loaded<readonly PlanDraft[]>;
  readonly chosen: string;
  readonly start: (draft: PlanDraft) => void;
}) {
  return (
    <fieldset class="card plans">
      <legend>
        <h2>Plan</h2>
      </legend>
      {offered.problem && (
        <ProblemNote problem={offered.problem}>
          <Button onPress={() => offered.again()}>Try again</Button>
        </ProblemNote>
      )}
      {!offered.problem && !offered.value && <p class="empty">Loading the plans of this server.</p>}
      {offered.value?.map((draft) => (
        <label key={draft.planHash} class="plan">
          <input type="radio" name="plan" checked={draft.planHash === chosen} onChange={() => start(draft)} />
          <span>
            <strong>{draft.plan.name}</strong>
            <span class="soft">{draft.plan.description}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Editor({
  text,
  type,
  field,
  problem,
  reset,
}: {
  readonly text: string;
  readonly type: (text: string) => void;
  readonly field: { current: HTMLTextAreaElement | null };
  readonly problem: ProblemView | undefined;
  readonly reset: (() => void) | undefined;
}) {
  const id = useId();
  return (
    <section class="card card-json" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>The plan as JSON</h2>
      <label for={id}>Its hash is in the link: what you launch is what everybody checks.</label>
      <textarea
        id={id}
        ref={field}
        class="mono"
        rows={18}
        spellcheck={false}
        value={text}
        aria-invalid={problem ? 'true' : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        onInput={(event) => type(event.currentTarget.value)}
      />
      {problem && <ProblemNote problem={problem} id={`${id}-problem`} />}
      {reset && <Button onPress={reset}>Back to the offered text</Button>}
    </section>
  );
}

function Summary({ draft }: { readonly draft: PlanDraft }) {
  const plan: Plan = draft.plan;
  return (
    <>
      <p>
        <strong>{plan.name}</strong> <span class="pill sealed">{plan.lane}</span>
      </p>
      <Facts
        of={[
          ...planFacts(plan).map(({ name, value }) => [name, value] as const),
          [
            'Plan hash',
            <span class="mono" title={draft.planHash}>
              {shortHash(draft.planHash)}
            </span>,
          ],
        ]}
      />
      <CoordinatorSees fewest={fewestSummed(plan, meanGroup(plan, plan.aggregation.cohort.minimum))} />
      <Limits />
    </>
  );
}

interface Read {
  readonly draft: PlanDraft | undefined;
  readonly problem: ProblemView | undefined;
}

/** Answers to an older text are dropped. */
function useRead(session: Session, text: string): Read {
  const [read, setRead] = useState<Read>({ draft: undefined, problem: undefined });
  const latest = useRef(0);
  useEffect(() => {
    const turn = ++latest.current;
    setRead((before) => ({ draft: undefined, problem: before.problem }));
    if (text === '') return undefined;
    const timer = setTimeout(() => {
      session.application.readPlan(text).then(
        (draft) => turn === latest.current && setRead({ draft, problem: undefined }),
        (thrown: unknown) =>
          turn === latest.current && setRead({ draft: undefined, problem: session.problemOf(thrown) }),
      );
    }, READ_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return read;
}
