/** How each class is told: the confusion matrix, and precision, recall and F1, over everyone's data together. */
import type { Confusion } from '../core/counts.ts';
import { classScores } from '../core/metrics.ts';
import type { RunView } from '../core/runView.ts';
import { Card } from './controls.tsx';
import { count, percent } from './format.ts';
import { basis, latestOf } from './measures.ts';

/** Strongest shade of a cell, in percent of its colour: the number on it stays readable. */
const MOST_SHADE = 42;

/** Undefined where no cells are counted. */
export function classesLook({ curve, plan }: RunView): unknown {
  const { counts } = latestOf(curve.at(-1));
  return counts?.kind === 'classes' && plan ? [curve.at(-1), plan.task] : undefined;
}

export function ClassesCard({ view }: { readonly view: RunView }) {
  const { plan, curve } = view;
  const last = curve.at(-1);
  const { part, counts, samples } = latestOf(last);
  if (!last || counts?.kind !== 'classes' || plan?.task.kind !== 'classification') return null;
  const { classes } = plan.task;
  return (
    <Card title="Classes" name="classes">
      <p>
        Each row is what samples are, each column what the model took them for: {part} data after {count(last.round)}{' '}
        rounds, {basis(last.people, samples)}, counted in the secure sum.
      </p>
      <Matrix counts={counts} classes={classes} />
      <details>
        <summary>Precision, recall and F1 by class</summary>
        <div class="scrolls" role="region" aria-label="Table of precision, recall and F1 by class" tabIndex={0}>
          <Scores counts={counts} classes={classes} />
        </div>
      </details>
    </Card>
  );
}

interface Props {
  readonly counts: Confusion;
  readonly classes: readonly string[];
}

function Matrix({ counts: { cells }, classes }: Props) {
  return (
    <div class="matrix" role="region" aria-label="Confusion matrix" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">is</th>
            {classes.map((name) => (
              <th key={name} scope="col" class="number" title={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((name, actual) => {
            const row = cells.slice(actual * classes.length, (actual + 1) * classes.length);
            const samples = row.reduce((sum, cell) => sum + cell, 0);
            return (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                {row.map((cell, predicted) => (
                  <td
                    key={classes[predicted]}
                    class={`number ${actual === predicted ? 'hit' : cell > 0 ? 'miss' : 'none'}`}
                    style={{ '--shade': `${samples > 0 ? Math.round((MOST_SHADE * cell) / samples) : 0}%` }}
                  >
                    {count(cell)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Scores({ counts, classes }: Props) {
  const scores = classScores(counts);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Class</th>
          {['precision', 'recall', 'F1', 'samples'].map((name) => (
            <th key={name} scope="col" class="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {classes.map((name, i) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{percent(scores[i]?.precision)}</td>
            <td class="number">{percent(scores[i]?.recall)}</td>
            <td class="number">{percent(scores[i]?.f1)}</td>
            <td class="number">{count(scores[i]?.actual)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
