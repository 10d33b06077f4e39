/** Who is admitted, chosen without writing JSON: changes the plan's text, which stays the only truth. */
import { useId, useState } from 'preact/hooks';
import type { Admission } from '../core/plan.ts';
import { peopleText, readPeople, securityIn, withSecurity } from './planText.ts';

const CHOICES: readonly (readonly [Admission, string, string])[] = [
  ['anyone', 'Anyone', 'Whoever finds the coordinator takes part, with or without the link’s secret.'],
  ['link', 'Whoever has the link', 'Can pass the link on, and can be many people at once.'],
  [
    'named',
    'Named people only',
    'Those whose keys are listed below. Everyone in a round checks it, not only this tab.',
  ],
];

interface Props {
  readonly text: string;
  readonly type: (text: string) => void;
}

export function AdmissionForm({ text, type }: Props) {
  const security = securityIn(text);
  const id = useId();
  if (!security) return null;
  const choose = (admission: Admission): void => {
    const changed = withSecurity(text, { admission });
    if (changed !== undefined) type(changed);
  };
  return (
    <fieldset class="card plans">
      <legend>
        <h2>Who is admitted</h2>
      </legend>
      {CHOICES.map(([admission, label, what]) => (
        <label key={admission} class="plan">
          <input
            type="radio"
            name={`${id}-admission`}
            checked={security.admission === admission}
            onChange={() => choose(admission)}
          />
          <span>
            <strong>{label}</strong>
            <span class="soft">{what}</span>
          </span>
        </label>
      ))}
      <People {...{ text, type }} wanted={security.admission === 'named'} />
    </fieldset>
  );
}

/** Shown as it was typed, as long as it says the same as the plan's text; else as the text has it. */
function People({ text, type, wanted }: Props & { readonly wanted: boolean }) {
  const listed = securityIn(text)?.names ?? [];
  const [typed, setTyped] = useState('');
  const id = useId();
  const current = peopleText(listed);
  const shown = peopleText(readPeople(typed)) === current ? typed : current;
  return (
    <details class="people-list" open={wanted || shown !== ''}>
      <summary>Names, so that people can tell whom they are with</summary>
      <label for={id}>
        One person a line, name and key. Each makes the key on the first screen of this application, in the browser that
        is to take part, and sends it to you.
      </label>
      <textarea
        id={id}
        class="mono"
        rows={4}
        spellcheck={false}
        placeholder="Ada Lovelace 5f0c…"
        value={shown}
        onInput={(event) => {
          const lines = event.currentTarget.value;
          setTyped(lines);
          const changed = withSecurity(text, { names: readPeople(lines) });
          if (changed !== undefined) type(changed);
        }}
      />
    </details>
  );
}
