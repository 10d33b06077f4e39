/** Join: the consent screen. Nothing starts until the button is pressed; then the run. */
import { useState } from 'preact/hooks';
import type { InviteView } from '../core/application.ts';
import type { ProblemView } from '../core/runView.ts';
import { admissionLimit, admissionWords } from './admissionText.ts';
import { Button, Facts } from './controls.tsx';
import { Dashboard } from './dashboard.tsx';
import { LeavingTable, Limits } from './disclosure.tsx';
import { useTitleFocus } from './focus.ts';
import { grouped } from './format.ts';
import { NamedIdentity, useNamedIdentity } from './namedIdentity.tsx';
import { Note, ProblemNote } from './notes.tsx';
import { ShareControl } from './shareControl.tsx';
import type { Session } from './session.ts';

export function Join({ session, fragment }: { readonly session: Session; readonly fragment: string }) {
  const open = session.runs.value.get(fragment);
  if (open) return <Dashboard open={open} problemOf={session.problemOf} onAgain={() => open.close()} />;
  let invite: InviteView;
  try {
    invite = session.application.readInvite(fragment);
  } catch (thrown) {
    return (
      <>
        <h1 tabIndex={-1}>This link cannot be read</h1>
        <ProblemNote problem={session.problemOf(thrown)}>
          <p>
            <a href="#/">Paste another link</a>
          </p>
        </ProblemNote>
      </>
    );
  }
  return <Consent key={fragment} {...{ session, fragment, invite }} />;
}

interface ConsentProps {
  readonly session: Session;
  readonly fragment: string;
  readonly invite: InviteView;
}

function Consent({ session, fragment, invite }: ConsentProps) {
  const [joining, setJoining] = useState(false);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const identity = useNamedIdentity(session);
  const named = invite.admission === 'named';
  const needsName = named && identity.value === undefined;
  useTitleFocus();
  const join = (): void => {
    setJoining(true);
    setProblem(undefined);
    session
      .join(fragment)
      .catch((thrown: unknown) => setProblem(session.problemOf(thrown)))
      .finally(() => setJoining(false));
  };
  return (
    <>
      <header class="run-head">
        <div>
          <h1 tabIndex={-1}>Take part in a federation</h1>
          <p class="sentence">Read what would happen. Nothing starts until you press Join.</p>
        </div>
        <div class="actions">
          <Button primary unavailable={joining || needsName} onPress={join}>
            {joining ? 'Joining' : 'Join'}
          </Button>
          <a class="button" href="#/">
            Not now
          </a>
        </div>
      </header>
      {problem && <ProblemNote problem={problem} />}
      {needsName && (
        <Note tone="warn">
          Only people whose keys the plan lists are admitted, and this browser has no named identity. Make one below,
          and give its key to whoever sent the link.
        </Note>
      )}
      <div class="columns">
        <section class="card" aria-labelledby="happens">
          <h2 id="happens">What will happen</h2>
          <ol class="bullets">
            <li>
              This tab reaches the coordinator through {invite.host}, and checks that it holds the key named here.
            </li>
            <li>It fetches the plan, the model and the record of earlier rounds, and checks each against its hash.</li>
            <li>
              It loads its part of the plan’s data, or asks you for files of your own if the plan trains on these;
              measures which engine is fastest here, and uses that.
            </li>
            <li>
              Each round it trains on your GPU or processor for as long as the plan says, masks the update, and sends
              it.
            </li>
          </ol>
          <p>You can pause, finish the round or leave at any time. Closing the tab leaves too; the others go on.</p>
          <ShareControl />
          <Limits />
        </section>
        <section class="card" aria-labelledby="checked">
          <h2 id="checked">What this link names</h2>
          <Facts
            of={[
              ['Admitted', admissionWords(invite.admission)],
              ['Signalling host', invite.host],
              ['Plan hash', <span class="mono">{grouped(invite.planHash)}</span>],
              ['Coordinator’s key', <span class="mono">{grouped(invite.coordinatorKey)}</span>],
              ['Federation', <span class="mono">{grouped(invite.federation)}</span>],
            ]}
          />
          <p class="hint">{admissionLimit(invite.admission)}</p>
          <p class="hint">Compare plan hash and key with the person who sent the link if you want to be certain.</p>
        </section>
        {named && (
          <section class="card card-wide" aria-labelledby="named">
            <h2 id="named">Your named identity</h2>
            <p>The list of names is in the plan: it is shown as soon as the plan is here, before any round.</p>
            <NamedIdentity {...{ session, identity }} />
          </section>
        )}
        <section class="card card-wide" aria-labelledby="leaves">
          <h2 id="leaves">What leaves this tab, and what never does</h2>
          <LeavingTable
            host={invite.host}
            named={named}
            size="its size follows from the plan and is shown before the first round"
          />
        </section>
      </div>
    </>
  );
}
