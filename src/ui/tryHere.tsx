/** Try it here: the coordinator's dashboard beside those of the participants that run in this page. */
import { useState } from 'preact/hooks';
import { Button } from './controls.tsx';
import { Dashboard } from './dashboard.tsx';
import { TRIAL_PARTICIPANTS } from './home.tsx';
import { useTitleFocus } from './focus.ts';
import { useLoaded } from './loaded.ts';
import { Note, ProblemNote } from './notes.tsx';
import { stateShape, stateWords } from './personState.ts';
import type { OpenRun, Session, Trial } from './session.ts';
import { isOver } from './session.ts';
import { StateGlyph } from './stateMark.tsx';

export function TryHere({ session }: { readonly session: Session }) {
  const trial = session.trial.value;
  const wanted = session.trialWanted;
  if (trial) return <Running {...{ session, trial }} />;
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>Try it here</h1>
        <p>
          A coordinator and {TRIAL_PARTICIPANTS} participants, all inside this page, train one model under the same
          rules as tabs that are far apart. No data leaves the page.
        </p>
      </header>
      {wanted.value ? (
        <Starting session={session} />
      ) : (
        <Button primary onPress={() => (wanted.value = true)}>
          Start {TRIAL_PARTICIPANTS} participants
        </Button>
      )}
    </>
  );
}

function Starting({ session }: { readonly session: Session }) {
  const { problem, again } = useLoaded('trial', () => session.tryHere(TRIAL_PARTICIPANTS), session.problemOf);
  if (!problem) return <p role="status">Starting {TRIAL_PARTICIPANTS} participants.</p>;
  return (
    <ProblemNote problem={problem}>
      <Button onPress={again}>Try again</Button>
    </ProblemNote>
  );
}

function Running({ session, trial }: { readonly session: Session; readonly trial: Trial }) {
  useTitleFocus();
  const [selected, select] = useState(0);
  const seats = [trial.coordinator, ...trial.participants];
  const shown = seats[selected] ?? trial.coordinator;
  const stillOpen = trial.participants.filter(({ closed }) => !closed.value);
  const toClose = stillOpen.includes(shown) ? shown : stillOpen.at(-1);
  const over = isOver(trial.coordinator.view.value.phase);
  const closed = trial.participants.length - stillOpen.length;
  return (
    <>
      <header class="run-head">
        <div>
          <h1 tabIndex={-1}>Try it here</h1>
          <p class="sentence">
            A coordinator and {TRIAL_PARTICIPANTS} participants, as five tabs would be. Choose whose view to see.
          </p>
        </div>
        <div class="actions">
          {toClose && !over && <Button onPress={() => toClose.close()}>Close {toClose.key}</Button>}
          <Button onPress={() => trial.close()}>End the trial</Button>
        </div>
      </header>
      <Seats {...{ seats, selected, select }} />
      {closed > 0 && !over && (
        <Note tone="info">
          {closed === 1 ? 'One participant’s tab is closed.' : `${closed} participants’ tabs are closed.`} Its masks are
          taken out with the shares that the others hold, as long as enough of them stay.
        </Note>
      )}
      <div role="tabpanel" id="seat-panel" aria-labelledby={`seat-${selected}`} tabIndex={0}>
        {shown.closed.value && (
          <Note tone="warn">This participant’s tab is closed. Below is the last that it saw.</Note>
        )}
        <Dashboard key={shown.key} open={shown} problemOf={session.problemOf} level={2} />
      </div>
    </>
  );
}

interface SeatsProps {
  readonly seats: readonly OpenRun[];
  readonly selected: number;
  readonly select: (index: number) => void;
}

/** Tabs after the ARIA authoring practices: arrows move and select, Home and End go to the ends. */
function Seats({ seats, selected, select }: SeatsProps) {
  const move = (event: KeyboardEvent): void => {
    const last = seats.length - 1;
    const to = { ArrowRight: selected + 1, ArrowLeft: selected - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const index = (to + seats.length) % seats.length;
    select(index);
    document.getElementById(`seat-${index}`)?.focus();
  };
  return (
    <div class="seats" role="tablist" aria-label="Whose view is shown" onKeyDown={move}>
      {seats.map((seat, i) => (
        <button
          key={seat.key}
          id={`seat-${i}`}
          type="button"
          role="tab"
          aria-selected={i === selected}
          aria-controls="seat-panel"
          tabIndex={i === selected ? 0 : -1}
          onClick={() => select(i)}
        >
          <span class="seat-name">{seat.key}</span>
          <SeatState seat={seat} />
        </button>
      ))}
    </div>
  );
}

function SeatState({ seat }: { readonly seat: OpenRun }) {
  const { people, phase, role } = seat.view.value;
  const you = people.find((person) => person.you);
  if (seat.closed.value) {
    return (
      <span class="seat-state">
        <StateGlyph shape="gone" /> closed
      </span>
    );
  }
  if (role === 'coordinator' || !you) return <span class="seat-state">{phase.replace('-', ' ')}</span>;
  return (
    <span class="seat-state">
      <StateGlyph shape={stateShape(you.state)} fraction={you.fraction} /> {stateWords(you)}
    </span>
  );
}
