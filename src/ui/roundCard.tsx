/** The round: people on a circle, masks between them, masked updates on their way to the centre, which counts them. */
import { useMemo } from 'preact/hooks';
import { ROUND_STEPS } from '../core/runView.ts';
import type { PersonView, RoundView, RunView } from '../core/runView.ts';
import { Card } from './controls.tsx';
import { percent } from './format.ts';
import { byGroup, hasMasks, hasSent, peopleOnCircle, stateShape } from './personState.ts';
import {
  CENTRE_RADIUS,
  MAX_CHORDS,
  MAX_LABELS,
  RING_RADIUS,
  chord,
  dotRadius,
  drawnPairs,
  place,
} from './roundGeometry.ts';
import { centre, roundText } from './roundText.ts';
import { StateMark } from './stateMark.tsx';

export function RoundCard({ view }: { readonly view: RunView }) {
  const text = roundText(view);
  return (
    <Card title="The round" name="round">
      <RoundPicture view={view} label={text.summary} />
      <ul class="visually-hidden" aria-label="People in the picture">
        {text.lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {view.round && view.phase !== 'finished' && <Steps round={view.round} />}
    </Card>
  );
}

function RoundPicture({ view, label }: { readonly view: RunView; readonly label: string }) {
  const people = peopleOnCircle(view);
  const size = people.length;
  const radius = dotRadius(size);
  const { figure, label: unit } = centre(view);
  const inRound = view.round !== undefined && view.phase !== 'finished';
  return (
    <svg class="round-picture" viewBox="-180 -160 360 320" role="img" aria-label={label}>
      {inRound && <Chords people={people} faded={view.round.unmasked} />}
      {inRound &&
        people.map(
          (person, i) =>
            hasSent(person) && <Stroke key={person.id} index={i} size={size} width={Math.min(1.6, radius / 3)} />,
        )}
      {people.map((person, i) => {
        const { x, y } = place(i, size);
        return (
          <g key={person.id} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
            <StateMark
              shape={stateShape(person.state)}
              radius={person.you ? radius * 1.22 : radius}
              fraction={person.fraction}
            />
          </g>
        );
      })}
      {people.map(
        (person, i) =>
          (size <= MAX_LABELS || person.you) && <Name key={person.id} person={person} index={i} size={size} />,
      )}
      <circle class="centre" r={CENTRE_RADIUS} />
      <text class={figure.length > 8 ? 'centre-figure long' : 'centre-figure'} y="2" text-anchor="middle">
        {figure}
      </text>
      <text class="centre-unit" y="18" text-anchor="middle">
        {unit}
      </text>
    </svg>
  );
}

/** Two paths, however many chords: dashed ones, and those with both ends sent. */
function Chords({ people, faded }: { readonly people: readonly PersonView[]; readonly faded: boolean }) {
  const ends = people.map((person, index) => ({ index, group: person.group, end: endOf(person) }));
  const key = ends.map(({ end, group = 0 }) => `${end}${group}`).join();
  const { dashed, solid } = useMemo(() => chordPaths(ends), [key]);
  return (
    <g class={faded ? 'chords faded' : 'chords'} fill="none">
      <path class="pending" d={dashed} />
      <path d={solid} />
    </g>
  );
}

type End = 'none' | 'pending' | 'sent';

function endOf(person: PersonView): End {
  return hasMasks(person) ? (hasSent(person) ? 'sent' : 'pending') : 'none';
}

interface PersonEnd {
  readonly index: number;
  readonly group: number | undefined;
  readonly end: End;
}

function chordPaths(ends: readonly PersonEnd[]): { readonly dashed: string; readonly solid: string } {
  let dashed = '';
  let solid = '';
  const groups = byGroup(ends);
  for (const members of groups) {
    for (const [i, j] of drawnPairs(members.length, MAX_CHORDS / groups.length)) {
      const [a, b] = [members[i], members[j]];
      if (a === undefined || b === undefined || a.end === 'none' || b.end === 'none') continue;
      const path = chord(place(a.index, ends.length), place(b.index, ends.length));
      if (a.end === 'sent' && b.end === 'sent') solid += path;
      else dashed += path;
    }
  }
  return { dashed, solid };
}

function Stroke({ index, size, width }: { readonly index: number; readonly size: number; readonly width: number }) {
  const from = place(index, size);
  const to = place(index, size, CENTRE_RADIUS);
  return <line class="stroke" x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke-width={width} />;
}

function Name({ person, index, size }: { readonly person: PersonView; readonly index: number; readonly size: number }) {
  const { x, y } = place(index, size, RING_RADIUS + (person.you ? 21 : 18));
  const side = Math.abs(x) < 12 ? 'middle' : x > 0 ? 'start' : 'end';
  return (
    <text class={person.you ? 'name you' : 'name'} x={x.toFixed(1)} y={(y + 4).toFixed(1)} text-anchor={side}>
      {person.you ? 'you' : shortName(person)}
    </text>
  );
}

/** The first name, or the first digits of an id: what fits beside the circle. */
function shortName({ name, id }: PersonView): string {
  if (name === undefined) return id.slice(0, 4);
  const [first = ''] = name.split(' ');
  return first.length > 8 ? `${first.slice(0, 7)}…` : first;
}

/** What each does by itself, by what the round is for. */
const WORK: Readonly<Record<RoundView['kind'], string>> = { statistics: 'count', train: 'train', evaluate: 'measure' };

function Steps({ round }: { readonly round: RoundView }) {
  const current = ROUND_STEPS.indexOf(round.step);
  return (
    <ol class="steps" aria-label={`Steps of round ${round.number}`}>
      {ROUND_STEPS.map((step, i) => {
        const fraction = i < current ? 1 : i === current ? Math.min(1, Math.max(0, round.stepFraction)) : 0;
        const name = step === 'train' ? WORK[round.kind] : step;
        const words = i < current ? 'done' : i === current ? percent(fraction, 0) : 'to come';
        return (
          <li key={step} aria-current={i === current ? 'step' : undefined}>
            <svg class="bar" viewBox="0 0 100 5" preserveAspectRatio="none" aria-hidden="true">
              <rect class="bar-fill" width="100" height="5" style={{ transform: `scaleX(${fraction})` }} />
            </svg>
            <span>{name}</span>
            <span class="visually-hidden">, {words}</span>
          </li>
        );
      })}
    </ol>
  );
}
