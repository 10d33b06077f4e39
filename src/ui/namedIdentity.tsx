/** The identity by which a person wants to be named: made on purpose, given to whoever writes the plan, or forgotten. */
import { useId, useRef, useState } from 'preact/hooks';
import type { NamedIdentityView } from '../core/application.ts';
import type { ProblemView } from '../core/runView.ts';
import { Button } from './controls.tsx';
import { useLoaded } from './loaded.ts';
import type { Loaded } from './loaded.ts';
import { ProblemNote } from './notes.tsx';
import type { Session } from './session.ts';

export type LoadedIdentity = Loaded<NamedIdentityView | undefined>;

export function useNamedIdentity(session: Session): LoadedIdentity {
  return useLoaded('named identity', () => session.application.namedIdentity(), session.problemOf);
}

interface Props {
  readonly session: Session;
  readonly identity: LoadedIdentity;
}

/** Without a frame: it stands in a card of the screen. */
export function NamedIdentity({ session, identity }: Props) {
  const { application } = session;
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const act = (work: Promise<unknown>): void => {
    setProblem(undefined);
    work.then(
      () => identity.again(),
      (thrown: unknown) => setProblem(session.problemOf(thrown)),
    );
  };
  const wrong = problem ?? identity.problem;
  return (
    <div class="identity">
      {identity.value ? (
        <Kept of={identity.value} forget={() => act(application.forgetNamedIdentity())} />
      ) : (
        <>
          <p>
            Some plans list people by name. Make a key here, and give its 64 digits to whoever writes the plan. The
            secret half stays in this browser, and cannot be read out.
          </p>
          <Button onPress={() => act(application.makeNamedIdentity())}>Make a named identity</Button>
        </>
      )}
      <p class="hint">
        It is shown where a link admits named people only, and where a plan lists it: to the coordinator and to everyone
        in the round. Everywhere else you go by a key that is made for that federation alone.
      </p>
      {wrong && <ProblemNote problem={wrong} />}
    </div>
  );
}

function Kept({ of: { key }, forget }: { readonly of: NamedIdentityView; readonly forget: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [said, say] = useState('');
  const [asked, ask] = useState(false);
  const id = useId();
  const byHand = (): void => {
    field.current?.focus();
    field.current?.select();
    say('This browser did not allow copying. The key is selected: copy it with Ctrl+C or ⌘C.');
  };
  const copy = (): void => {
    if (!navigator.clipboard) return byHand();
    // Refused without a secure context, or by the person.
    navigator.clipboard.writeText(key).then(() => say('Copied.'), byHand);
  };
  return (
    <>
      <label for={id}>Your public key, for whoever writes the plan</label>
      <div class="field-row">
        <input
          id={id}
          ref={field}
          class="mono"
          readOnly
          value={key}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button onPress={copy}>Copy key</Button>
      </div>
      <p class="hint" role="status">
        {said}
      </p>
      <div class="buttons">
        {asked ? (
          <>
            <Button onPress={forget}>Forget it for good</Button>
            <Button onPress={() => ask(false)}>Keep it</Button>
          </>
        ) : (
          <Button onPress={() => ask(true)}>Forget this identity</Button>
        )}
      </div>
    </>
  );
}
