/** Learning: the curves, the latest figures, and the same as a table. */
import { useId, useState } from 'preact/hooks';
import type { RunView } from '../core/runView.ts';
import { Card } from './controls.tsx';
import { CurveChart, figure, linesWithFigures } from './curveChart.tsx';
import type { Measure } from './curveChart.tsx';
import { bytes, count, duration, loss, percent, quantity } from './format.ts';

const MEASURES: readonly Measure[] = ['accuracy', 'loss'];

export function LearningCard({ view }: { readonly view: RunView }) {
  const [chosen, setMeasure] = useState<Measure>('accuracy');
  const { curve } = view;
  const onlyLoss = isWithoutAccuracy(view);
  const measure = onlyLoss ? 'loss' : chosen;
  const rounds = view.round?.of ?? view.plan?.aggregation.rounds ?? Math.max(1, curve.at(-1)?.round ?? 1);
  const lines = linesWithFigures(measure, curve);
  return (
    <Card title="Learning" name="learning">
      {!onlyLoss && <Choice chosen={measure} choose={setMeasure} />}
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
      {curve.length > 0 && (
        <details>
          <summary>{measure === 'accuracy' ? 'Accuracy' : 'Loss'} by round as a table</summary>
          <div class="scrolls" role="region" aria-label={`Table of ${measure} by round`} tabIndex={0}>
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
                </tr>
              </thead>
              <tbody>
                {curve.map((point) => (
                  <tr key={point.round}>
                    <th scope="row">{point.round}</th>
                    {lines.map(({ part, of }) => (
                      <td key={part} class="number">
                        {figure(measure, of(point))}
                      </td>
                    ))}
                    <td class="number">{count(point.people)}</td>
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

/** A value is never right or wrong, only near. */
function isWithoutAccuracy({ plan }: RunView): boolean {
  return plan?.task.kind === 'regression';
}

function Choice({ chosen, choose }: { readonly chosen: Measure; readonly choose: (measure: Measure) => void }) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">What the chart shows</legend>
      {MEASURES.map((measure) => (
        <label key={measure}>
          <input type="radio" name={name} checked={measure === chosen} onChange={() => choose(measure)} />
          <span>{measure}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Figures({ view }: { readonly view: RunView }) {
  const last = view.curve.at(-1);
  // Where people train on their own files, nothing is held out but what each keeps aside.
  const part = last?.testLoss === undefined && last?.validationLoss !== undefined ? 'validation' : 'test';
  const accuracy = part === 'test' ? last?.testAccuracy : last?.validationAccuracy;
  const whose = last ? `, ${quantity(last.people, 'person’s', 'people’s')} data` : '';
  const onlyLoss = isWithoutAccuracy(view);
  const figures = [
    ...(onlyLoss ? [] : [[percent(accuracy), `${part} accuracy${whose}`] as const]),
    [loss(part === 'test' ? last?.testLoss : last?.validationLoss), `${part} loss${onlyLoss ? whose : ''}`],
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
