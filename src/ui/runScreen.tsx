/** A federation that this browser coordinates: taken up again when it is not open in this tab. */
import { Button } from './controls.tsx';
import { Dashboard } from './dashboard.tsx';
import { useLoaded } from './loaded.ts';
import { ProblemNote } from './notes.tsx';
import type { Session } from './session.ts';

interface Props {
  readonly session: Session;
  readonly federation: string;
}

export function RunScreen({ session, federation }: Props) {
  const open = session.runs.value.get(federation);
  // Closing is enough: without an open run this screen takes the stored one up.
  if (open) return <Dashboard open={open} problemOf={session.problemOf} onAgain={() => open.close()} />;
  return <Resuming {...{ session, federation }} />;
}

function Resuming({ session, federation }: Props) {
  const { problem, again } = useLoaded(federation, () => session.resume(federation), session.problemOf);
  return (
    <>
      <h1 tabIndex={-1}>{problem ? 'This federation is not open' : 'Taking the federation up again'}</h1>
      {problem ? (
        <ProblemNote problem={problem}>
          <div class="buttons">
            <Button onPress={again}>Try again</Button>
            <a class="button" href="#/">
              Home
            </a>
          </div>
        </ProblemNote>
      ) : (
        <p class="sentence">Reading model and ledger from this browser.</p>
      )}
    </>
  );
}
