/** What the data of all participants together is like: counts, and means with their deviations. */
import type { StatisticsView } from '../core/statistics.ts';
import { Card } from './controls.tsx';
import { count, measure, percent, quantity } from './format.ts';

/** So many of the largest counts are shown as bars; metrics.jsonl has all. */
const SHOWN = 12;

export function StatisticsCard({ statistics }: { readonly statistics: StatisticsView }) {
  const { people, examples, features, tallies } = statistics;
  return (
    <Card title="Data" name="statistics">
      <p>
        Added up like an update, over {quantity(people, 'person', 'people')} with{' '}
        {quantity(examples, 'example', 'examples')}: nobody saw one person’s part.
      </p>
      {features.length > 0 && <Features features={features} />}
      {tallies.map((tally) => (
        <Tally key={tally.name} {...{ tally, examples }} />
      ))}
    </Card>
  );
}

function Features({ features }: Pick<StatisticsView, 'features'>) {
  return (
    <div class="scrolls" role="region" aria-label="Means and deviations" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Numbers</th>
            {['mean', 'deviation', 'values'].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {features.map(({ name, mean, variance, count: values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{measure(mean)}</td>
              <td class="number">{measure(Math.sqrt(variance))}</td>
              <td class="number">{count(values)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TallyProps {
  readonly tally: StatisticsView['tallies'][number];
  readonly examples: number;
}

function Tally({ tally: { name, names, counts, minimumSupport }, examples }: TallyProps) {
  const all = counts.map((of, i) => ({ name: names?.[i] ?? `${i}`, of }));
  // Classes stay in the order of the plan; of many the most frequent come first.
  const shown = (all.length > SHOWN ? all.toSorted((a, b) => b.of - a.of) : all).slice(0, SHOWN);
  const most = shown.reduce((largest, { of }) => Math.max(largest, of), 1);
  const more = all.length - shown.length;
  return (
    <div>
      <h3>By {name}</h3>
      <ul class="by-class" tabIndex={0} aria-label={`By ${name}`}>
        {shown.map(({ name: each, of }) => (
          <li key={each}>
            <span class="by-class-name">{each}</span>
            <svg class="by-class-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * of) / most} height="8" />
            </svg>
            <span class="number" title={percent(of / Math.max(1, examples))}>
              {count(of)}
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="hint">And {count(more)} others, which are in the saved metrics.</p>}
      {minimumSupport > 1 && (
        <p class="hint">Where one person has fewer than {count(minimumSupport)}, that person’s are left out.</p>
      )}
    </div>
  );
}
