/** One run, from either side: what happens, what is waited for, what can be done, and every figure of it. */
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { ProblemView, RunView, WaitView } from '../core/runView.ts';
import { ClassesCard, classesLook } from './classes.tsx';
import { Button, Card, HeadingLevel } from './controls.tsx';
import { EngineCard } from './engineCard.tsx';
import { countdown } from './format.ts';
import { useTitleFocus } from './focus.ts';
import { InviteCard } from './invite.tsx';
import { LearningCard } from './learning.tsx';
import { LeavesCard } from './leaves.tsx';
import { LedgerCard } from './ledger.tsx';
import { LogCard } from './log.tsx';
import { Note, ProblemNote } from './notes.tsx';
import { OwnFilesCard } from './ownFiles.tsx';
import { PeopleCard } from './people.tsx';
import { peopleHere, phaseNote } from './phaseText.ts';
import { RoundCard } from './roundCard.tsx';
import { SaveList } from './saveFiles.tsx';
import { isOver } from './session.ts';
import { StatisticsCard } from './statisticsCard.tsx';
import type { OpenRun } from './session.ts';
import { TryModelCard } from './tryModel.tsx';
import { useEverySecond, useOneByOne, useThrottled } from './timing.ts';
import { TrustCard } from './trust.tsx';
import { WhenChanged } from './whenChanged.tsx';

/** A sentence is read out at most this often. */
const ANNOUNCE_EVERY_MS = 5000;

interface Props {
  readonly open: OpenRun;
  readonly problemOf: (thrown: unknown) => ProblemView;
  /** Starts over after an end: joins again, or takes the federation up again. */
  readonly onAgain?: () => void;
  /** 2 inside another screen. */
  readonly level?: 1 | 2;
}

export function Dashboard({ open, problemOf, onAgain, level = 1 }: Props) {
  const view = open.view.value;
  const [sharing, setSharing] = useState(false);
  const [saving, setSaving] = useState(false);
  const Title = level === 1 ? 'h1' : 'h2';
  const note = phaseNote(view);
  useTitleFocus(level === 1);
  const gathering = ['connecting', 'preparing', 'choosing', 'waiting'].includes(view.phase);
  const share = isOver(view.phase) || !(sharing || gathering) ? undefined : view.inviteLink;
  const bad = note?.tone === 'bad' && view.problem !== undefined;
  return (
    <HeadingLevel.Provider value={level === 1 ? 2 : 3}>
      <header class="run-head">
        <div>
          <Title tabIndex={-1}>{runTitle(view)}</Title>
          <Sentence view={view} />
        </div>
        <Actions
          {...{ open, onAgain, sharing, saving }}
          onSave={() => setSaving(!saving)}
          {...(view.inviteLink !== undefined && !gathering && { onShare: () => setSharing(!sharing) })}
        />
      </header>
      {view.problem && <ProblemNote problem={view.problem}>{bad && <p>{note.text}</p>}</ProblemNote>}
      {note && !view.problem && <Note tone={note.tone}>{note.text}</Note>}
      {share !== undefined && !gathering && <InviteCard link={share} />}
      {saving && view.phase === 'finished' && (
        <Card title="Files" name="saves">
          <SaveList {...{ open, problemOf }} />
        </Card>
      )}
      <div class="columns">
        <Cards {...{ open, problemOf }} invite={gathering ? share : undefined} />
      </div>
    </HeadingLevel.Provider>
  );
}

/** Only cards that have something to say in this phase; the log closes them, as wide as the last row leaves it. */
function Cards({
  open,
  problemOf,
  invite,
}: Pick<Props, 'open' | 'problemOf'> & { readonly invite: string | undefined }) {
  const view = open.view.value;
  const live = !isOver(view.phase) || view.phase === 'finished';
  const started = view.round !== undefined || view.curve.length > 0;
  const coordinating = view.role === 'coordinator';
  const here = view.round !== undefined || view.people.length > 0;
  const trust = view.plan && (live || started) && part('trust', trustLook(view), () => <TrustCard view={view} />);
  const leaves = (live || started) && part('leaves', leavesLook(view), () => <LeavesCard view={view} />);
  const ledger =
    (started || (live && coordinating)) &&
    part('ledger', ledgerLook(view), () => <LedgerCard {...{ view, open, problemOf }} />);
  const measures = live && !coordinating && view.phase !== 'finished' && !open.closed.value;
  const onMeasure = measures ? (): void => open.run.actions.measureAgain() : undefined;
  const { ownFiles } = open.run;
  const files = ownFiles && part('files', open.key, () => <OwnFilesCard files={ownFiles} />);
  const classes = classesLook(view);
  const choosing = ownFiles?.view().accepted === false;
  const canTry = live && !choosing && view.modelHash !== undefined && view.plan && (started || view.plan.start);
  // Cards of a like height side by side.
  const parts: readonly Part[] = [
    live && choosing && files,
    live && (here || coordinating) && part('round', roundLook(view), () => <RoundCard view={view} />),
    invite !== undefined && part('invite', invite, () => <InviteCard link={invite} />),
    started && part('learning', learningLook(view), () => <LearningCard view={view} />),
    canTry && part('try', [open.key, tryLook(view)], () => <TryModelCard {...{ open, problemOf }} />),
    live && view.people.length > 0 && part('people', peopleLook(view), () => <PeopleCard view={view} />),
    classes !== undefined && part('classes', classes, () => <ClassesCard view={view} />),
    view.statistics && part('statistics', view.statistics, () => statisticsCard(view)),
    ...(coordinating ? [ledger, trust, leaves] : [leaves, trust, ledger]),
    live && !choosing && files,
    view.engine && part('engine', [view.engine, onMeasure !== undefined], () => engineCard(view, onMeasure)),
  ].filter((candidate) => typeof candidate === 'object');
  const shown = useOneByOne(parts.map(({ name }) => name));
  const cards = parts.filter(({ name }) => shown.has(name));
  const wide = cards.filter(({ name }) => name !== 'files' && name !== 'try').length % 2 === 0;
  return (
    <>
      {cards.map(({ name, of, render }) => (
        <WhenChanged key={name} of={of} render={render} />
      ))}
      <WhenChanged
        of={[view.events.length, view.events.at(-1), wide]}
        render={() => <LogCard events={view.events} wide={wide} />}
      />
    </>
  );
}

function engineCard({ engine }: RunView, onMeasure: (() => void) | undefined): ComponentChild {
  return engine && <EngineCard choice={engine} onMeasure={onMeasure} />;
}

function statisticsCard({ statistics }: RunView): ComponentChild {
  return statistics && <StatisticsCard statistics={statistics} />;
}

interface Part {
  readonly name: string;
  /** What the card shows, so that it renders again only for that. */
  readonly of: unknown;
  readonly render: () => ComponentChild;
}

function part(name: string, of: unknown, render: () => ComponentChild): Part {
  return { name, of, render };
}

function roundLook({ round, people, phase, role }: RunView): unknown {
  return [
    phase,
    role,
    round,
    people.map(({ id, name, you, state, inRound, group, fraction }) => [
      id,
      name,
      you,
      state,
      inRound,
      group,
      fraction,
    ]),
  ];
}

function learningLook(view: RunView): unknown {
  const { curve, own, round, plan, phase, role, secondsPerRound, bytesUpPerRound } = view;
  return [curve, own, round?.of, plan?.aggregation.rounds, phase, role, secondsPerRound, bytesUpPerRound];
}

function tryLook({ plan, role, phase, round, curve }: RunView): unknown {
  return [plan, role, phase, round?.completed, curve.at(-1)?.round];
}

function peopleLook({ people, round }: RunView): unknown {
  return [people, round === undefined];
}

function leavesLook({ role, glimpse, round, plan, bytesUp, bytesDown, bytesDownPerRound }: RunView): unknown {
  const size = [round?.size, round?.threshold, round?.groups, plan?.aggregation.cohort];
  return [role, glimpse, size, bytesUp, bytesDown, bytesDownPerRound];
}

function trustLook({ role, plan, round, people, group, anonymitySet, knownColluders, culprits }: RunView): unknown {
  const named = people.flatMap(({ name, inRound }) => (inRound && name !== undefined ? [name] : []));
  const cut = [round?.groups, round?.lostGroups];
  return [role, plan === undefined, cut, named, group, anonymitySet, knownColluders, culprits];
}

function ledgerLook({ ledger, refusals, modelHash, planHash, parameters, role, phase }: RunView): unknown {
  return [ledger, refusals, modelHash, planHash, parameters, role, phase];
}

export function runTitle(view: RunView): string {
  if (view.plan) return view.plan.name;
  if (view.role === 'coordinator') return 'Federation';
  return isOver(view.phase) ? 'Not joined' : 'Joining a federation';
}

/** The countdown ticks for the eyes only; what is read out changes when the state does. */
function Sentence({ view }: { readonly view: RunView }) {
  const { waiting, sentence } = view;
  const spoken = useThrottled(waiting ? `${sentence} Waiting for ${waiting.for}.` : sentence, ANNOUNCE_EVERY_MS);
  return (
    <>
      <p class={waiting?.untilMs === undefined ? 'sentence' : 'sentence ticking'}>
        {sentence} {waiting && <Wait wait={waiting} />}
      </p>
      <p class="visually-hidden" role="status">
        {spoken}
      </p>
    </>
  );
}

function Wait({ wait }: { readonly wait: WaitView }) {
  useEverySecond(wait.untilMs !== undefined);
  if (wait.untilMs === undefined) return <>Waiting for {wait.for}.</>;
  return (
    <>
      Waiting for {wait.for}, <span class="countdown">{countdown((wait.untilMs - Date.now()) / 1000)}</span> at the
      most.
    </>
  );
}

interface ActionProps {
  readonly open: OpenRun;
  readonly onAgain: (() => void) | undefined;
  readonly onShare?: () => void;
  readonly sharing: boolean;
  readonly onSave: () => void;
  readonly saving: boolean;
}

function Actions({ open, onAgain, onShare, sharing, onSave, saving }: ActionProps) {
  const view = open.view.value;
  const { phase, role } = view;
  const { actions } = open.run;
  const [last, setLast] = useState<number | undefined>(undefined);
  const finishing = last !== undefined && last === view.round?.number;
  if (open.closed.value) return null;
  if (phase === 'finished') {
    return (
      <div class="actions">
        <Button primary expanded={saving} onPress={onSave}>
          Save files
        </Button>
      </div>
    );
  }
  if (isOver(phase)) {
    const again = role === 'participant' ? 'Join again' : 'Resume';
    return (
      <div class="actions">
        {onAgain && phase !== 'refused' && (
          <Button primary onPress={onAgain}>
            {again}
          </Button>
        )}
      </div>
    );
  }
  const enough = peopleHere(view) >= (view.plan?.aggregation.cohort.minimum ?? Number.POSITIVE_INFINITY);
  return (
    <div class="actions">
      {phase === 'paused' ? (
        <Button primary onPress={() => actions.resume()}>
          Resume
        </Button>
      ) : (
        (phase === 'running' || phase === 'waiting') && <Button onPress={() => actions.pause()}>Pause</Button>
      )}
      {phase === 'running' && (
        <Button
          unavailable={finishing}
          onPress={() => {
            setLast(view.round?.number);
            actions.finish();
          }}
        >
          {finishing ? 'Stops after this round' : 'Finish this round'}
        </Button>
      )}
      {role === 'participant' && <Button onPress={() => actions.leave()}>Leave</Button>}
      {role === 'coordinator' && phase === 'waiting' && (
        <Button primary={enough} unavailable={!enough} onPress={() => actions.startNow()}>
          Start now
        </Button>
      )}
      {onShare && (
        <Button primary={phase === 'running'} expanded={sharing} onPress={onShare}>
          Share link
        </Button>
      )}
    </div>
  );
}
