/** Launch: choose a plan, change it as JSON, see what it means for people, and open the federation. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
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
import { ModelFile } from './modelFile.tsx';
import { ProblemNote } from './notes.tsx';
import { fewestSummed, meanGroup, planFacts } from './planFacts.ts';
import type { Session } from './session.ts';
import { StartModel } from './startModel.tsx';

/** While somebody types, the plan is read this long after the last key. */
const READ_AFTER_MS = 250;

/** The plan that somebody writes without an offered one to begin with. */
const OWN = '';

export function Launch({ session }: { readonly session: Session }) {
  const { application } = session;
  const offered = useLoaded('plans', () => application.offeredPlans(), session.problemOf);
  const [chosen, choose] = useState(OWN);
  const original = offered.value?.find(({ planHash }) => planHash === chosen);
  const written = session.written.value;
  const text = written.get(chosen) ?? original?.text ?? '';
  const read = useRead(session, text);
  const [launching, setLaunching] = useState(false);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const first = offered.value?.[0];
  // Not under the caret: what is typed or pasted next would be joined to a text that was not there a moment ago.
  const fillIn = (): void => {
    if (!first || chosen !== OWN || written.has(OWN) || document.activeElement === field.current) return;
    choose(first.planHash);
  };
  // In the step in which the plans appear: a plain effect comes a frame later, after what was pressed in between.
  useLayoutEffect(fillIn, [first]);
  const write = (changed: string, of: string): void => {
    const next = new Map(written).set(of, changed);
    if (of === OWN && changed === '') next.delete(OWN);
    session.written.value = next;
  };
  const type = (changed: string): void => write(changed, chosen);
  const takePlan = (planText: string): void => {
    write(planText, OWN);
    choose(OWN);
  };
  const launch = (): void => {
    if (!read.draft) {
      field.current?.focus();
      return;
    }
    setLaunching(true);
    setProblem(undefined);
    const saved = session.models.value.get(read.draft.plan.start?.modelHash ?? '');
    session.launch(read.draft, saved).then(
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
          <Offered {...{ offered, chosen, choose }} own={written.has(OWN)} />
          <StartModel {...{ session }} draft={read.draft} onPlan={takePlan} />
          <AdmissionForm {...{ text, type }} />
          <Editor
            {...{ text, type, field }}
            left={fillIn}
            problem={read.problem}
            problemOf={session.problemOf}
            reset={original && original.text !== text ? () => type(original.text) : undefined}
          />
        </div>
        <section class="card summary" aria-labelledby="summary">
          <h2 id="summary">What will happen</h2>
          {read.draft ? (
            <Summary draft={read.draft} />
          ) : (
            <p class="empty">
              {read.problem ? 'Correct the plan first.' : text === '' ? 'No plan yet.' : 'Reading the plan.'}
            </p>
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
  choose,
  own,
}: {
  readonly offered: Loaded<readonly PlanDraft[]>;
  readonly chosen: string;
  readonly choose: (planHash: string) => void;
  readonly own: boolean;
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
          <input type="radio" name="plan" checked={draft.planHash === chosen} onChange={() => choose(draft.planHash)} />
          <span>
            <strong>{draft.plan.name}</strong>
            <span class="soft">{draft.plan.description}</span>
          </span>
        </label>
      ))}
      {offered.value && own && (
        <label class="plan">
          <input type="radio" name="plan" checked={chosen === OWN} onChange={() => choose(OWN)} />
          <span>
            <strong>Written here</strong>
            <span class="soft">Not begun with a plan of this server: typed in, or from a saved model.</span>
          </span>
        </label>
      )}
    </fieldset>
  );
}

function Editor({
  text,
  type,
  field,
  left,
  problem,
  problemOf,
  reset,
}: {
  readonly text: string;
  readonly type: (text: string) => void;
  readonly field: { current: HTMLTextAreaElement | null };
  readonly left: () => void;
  readonly problem: ProblemView | undefined;
  readonly problemOf: (thrown: unknown) => ProblemView;
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
        onBlur={left}
      />
      {problem && <ProblemNote problem={problem} id={`${id}-problem`} />}
      <ModelFile {...{ text, type, problemOf }}>
        {reset && <Button onPress={reset}>Back to the offered text</Button>}
      </ModelFile>
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

const UNREAD: Read = { draft: undefined, problem: undefined };

/** What is given is never an older text's draft; an older text's problem stands until this one is read. */
function useRead(session: Session, text: string): Read {
  const [read, setRead] = useState<Read & { readonly of: string }>({ of: '', ...UNREAD });
  useEffect(() => {
    if (text === '') return undefined;
    let current = true;
    const timer = setTimeout(() => {
      session.application.readPlan(text).then(
        (draft) => current && setRead({ of: text, draft, problem: undefined }),
        (thrown: unknown) => current && setRead({ of: text, draft: undefined, problem: session.problemOf(thrown) }),
      );
    }, READ_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  if (text === '') return UNREAD;
  return read.of === text ? read : { draft: undefined, problem: read.problem };
}
