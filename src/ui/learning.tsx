/** Learning: the curves, the latest figures, and the same as a table. */
import { useId, useState } from 'preact/hooks';
import type { RunView } from '../core/runView.ts';
import { Card } from './controls.tsx';
import { CurveChart } from './curveChart.tsx';
import { bytes, count, duration, loss, quantity } from './format.ts';
import { basis, figure, latestOf, linesWithFigures, measuresOf, secondFigure } from './measures.ts';
import type { Measure } from './measures.ts';

export function LearningCard({ view }: { readonly view: RunView }) {
  const [chosen, setMeasure] = useState(0);
  const { curve } = view;
  const measures = measuresOf(view.plan);
  const [first] = measures;
  const measure = measures[chosen] ?? first;
  if (!measure) return null;
  const rounds = view.round?.of ?? view.plan?.aggregation.rounds ?? Math.max(1, curve.at(-1)?.round ?? 1);
  const lines = linesWithFigures(measure, curve);
  return (
    <Card title="Learning" name="learning">
      {measures.length > 1 && <Choice measures={measures} chosen={measures.indexOf(measure)} choose={setMeasure} />}
      {curve.length === 0 ? (
        <p class="empty chart">No figures yet. The first come with the first round’s sum.</p>
      ) : (
        <>
          <CurveChart curve={curve} rounds={rounds} measure={measure} />
          <ul class="legend">
            {lines.map(({ part }) => (
              <li key={part}>
                <svg class={`line line-${part}`} width="24" height="8" viewBox="0 0 24 8" aria-hidden="true">
                  <line x1="1" x2="23" y1="4" y2="4" />
                </svg>
                {part}
              </li>
            ))}
          </ul>
        </>
      )}
      <Figures view={view} />
      <OwnScores {...view} />
      {curve.length > 0 && (
        <details>
          <summary>{capital(measure.name)} by round as a table</summary>
          <div class="scrolls" role="region" aria-label={`Table of ${measure.name} by round`} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Round</th>
                  {lines.map(({ part }) => (
                    <th key={part} scope="col" class="number">
                      {part}
                    </th>
                  ))}
                  <th scope="col" class="number">
                    people
                  </th>
                  <th scope="col" class="number">
                    samples
                  </th>
                </tr>
              </thead>
              <tbody>
                {curve.map((point) => (
                  <tr key={point.round}>
                    <th scope="row">{point.round}</th>
                    {lines.map(({ part, of }) => (
                      <td key={part} class="number">
                        {figure(measure.metric, of(point))}
                      </td>
                    ))}
                    <td class="number">{count(point.people)}</td>
                    <td class="number">{count(latestOf(point).samples)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </Card>
  );
}

function capital(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

interface ChoiceProps {
  readonly measures: readonly Measure[];
  /** Index. */
  readonly chosen: number;
  readonly choose: (measure: number) => void;
}

function Choice({ measures, chosen, choose }: ChoiceProps) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">What the chart shows</legend>
      {measures.map((measure, i) => (
        <label key={measure.name}>
          <input type="radio" name={name} checked={i === chosen} onChange={() => choose(i)} />
          <span>{measure.name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The score of this tab's own data, which nobody else is told. */
function OwnScores({ own, plan }: RunView) {
  if (!own) return null;
  const { metric, part, samples, round } = own;
  const name = measuresOf(plan)[0]?.name ?? metric.name;
  const which = part === 'validation' ? 'kept aside in this tab' : 'held out';
  const also = metric.name === 'loss' ? '' : `, loss ${loss(own.loss)}`;
  return (
    <p class="own">
      Your data: {name} {figure(metric.name, metric.value)}
      {also} on the {quantity(samples, 'sample', 'samples')} {which}, after {quantity(round, 'round', 'rounds')}. Shown
      to you alone.
    </p>
  );
}

function Figures({ view }: { readonly view: RunView }) {
  const last = view.curve.at(-1);
  const latest = latestOf(last);
  const [measure] = measuresOf(view.plan);
  const whose = last ? `, ${basis(last.people, latest.samples)}` : '';
  const figures = [
    [figure(measure?.metric ?? 'loss', latest.metric), `${latest.part} ${measure?.name ?? ''}${whose}`],
    ...(measure?.metric === 'loss' ? [] : [secondFigure(view.plan, latest)]),
    [duration(view.secondsPerRound), 'a round'],
    [bytes(view.bytesUpPerRound), view.role === 'coordinator' ? 'sent a round, each' : 'sent a round'],
  ] as const;
  return (
    <dl class="figures">
      {figures.map(([value, name]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
