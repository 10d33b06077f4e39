/** People in this round: who, where they are in it, on what engine, with how many samples, and what they sent. */
import { useState } from 'preact/hooks';
import type { PersonView, RunView } from '../core/runView.ts';
import { Button, Card } from './controls.tsx';
import { engineLabel } from './engineCard.tsx';
import { UNKNOWN, bytes, count } from './format.ts';
import { personName, stateShape, stateWords } from './personState.ts';
import { StateGlyph } from './stateMark.tsx';

/** More rows than this are shown on request. */
const FIRST_ROWS = 10;

export function PeopleCard({ view }: { readonly view: RunView }) {
  const [all, showAll] = useState(false);
  const people = [...view.people].sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  const shown = all ? people : people.slice(0, FIRST_ROWS);
  return (
    <Card title={view.round ? 'People in this round' : 'People'} name="people">
      {people.length === 0 ? (
        <p class="empty">Nobody is here yet.</p>
      ) : (
        <table class="people">
          <thead>
            <tr>
              <th scope="col">Who</th>
              <th scope="col">State</th>
              <th scope="col" class="wide-only">
                Engine
              </th>
              <th scope="col" class="number">
                Samples
              </th>
              <th scope="col" class="number">
                Sent
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((person) => (
              <Row key={person.id} person={person} />
            ))}
          </tbody>
        </table>
      )}
      {people.length > FIRST_ROWS && (
        <Button onPress={() => showAll(!all)} expanded={all}>
          {all ? `Show the first ${FIRST_ROWS}` : `Show all ${count(people.length)}`}
        </Button>
      )}
    </Card>
  );
}

/** You, then who is in the round, then who enters later, then who left. */
function rank(person: PersonView): number {
  if (person.you) return 0;
  return stateShape(person.state) === 'gone' ? 3 : person.inRound ? 1 : 2;
}

function Row({ person }: { readonly person: PersonView }) {
  const shape = stateShape(person.state);
  return (
    <tr class={shape === 'gone' ? 'gone' : undefined}>
      <th scope="row" title={person.id}>
        <span class="with-glyph">
          <StateGlyph shape={shape} fraction={person.fraction} />
          <span>
            {personName(person)}
            <span class="narrow-only">{engineLabel(person.engine)}</span>
          </span>
        </span>
      </th>
      <td>{stateWords(person)}</td>
      <td class="wide-only">{engineLabel(person.engine)}</td>
      <td class="number">{count(person.samples)}</td>
      <td class="number">{person.bytesSent > 0 ? bytes(person.bytesSent) : UNKNOWN}</td>
    </tr>
  );
}
