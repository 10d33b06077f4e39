/** What came of reading a person's files: counts by class, what was refused and why, and the first examples. */
import type { DataReport } from '../core/dataReport.ts';
import type { ExpectedData } from '../core/dataSchema.ts';
import { DataPreview } from './dataPreview.tsx';
import { count, quantity, UNKNOWN } from './format.ts';
import { Note } from './notes.tsx';

export function DataFound({ report, expected }: { readonly report: DataReport; readonly expected: ExpectedData }) {
  const { kept, rows, refused, byClass, warnings, preview } = report;
  const unit =
    expected.kind === 'table' ? ['row', 'rows'] : expected.kind === 'images' ? ['image', 'images'] : undefined;
  return (
    <div class="found">
      <p>
        <strong>{quantity(kept, 'example', 'examples')}</strong> can be trained on
        {unit && `, of ${quantity(rows, unit[0] ?? '', unit[1] ?? '')}`}.
      </p>
      {warnings.length > 0 && (
        <Note tone="warn">
          {warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
        </Note>
      )}
      <div class="found-parts">
        {byClass.length > 0 && <ByClass byClass={byClass} />}
        {refused.count > 0 && <Refusals refused={refused} />}
      </div>
      {preview.length > 0 && <DataPreview {...{ preview, expected }} />}
    </div>
  );
}

function ByClass({ byClass }: Pick<DataReport, 'byClass'>) {
  const most = byClass.reduce((largest, { count: of }) => Math.max(largest, of), 1);
  return (
    <div>
      <h3>By class</h3>
      <ul class="by-class" tabIndex={0} aria-label="By class">
        {byClass.map(({ name, count: of }) => (
          <li key={name}>
            <span class="by-class-name">{name}</span>
            <svg class="by-class-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * of) / most} height="8" />
            </svg>
            <span class="number">{count(of)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

const REFUSAL = ['File', 'Row', 'Column', 'Found', 'Expected'] as const;

function Refusals({ refused: { count: all, first } }: Pick<DataReport, 'refused'>) {
  return (
    <div>
      <h3>
        Refused: {count(all)}
        {all > first.length && `, of which the first ${first.length} are shown`}
      </h3>
      <div class="scrolls refusals" role="region" aria-label="What was refused" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {REFUSAL.map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first.map(({ file, row, column, value, expected }, i) => (
              <tr key={i}>
                <th scope="row" data-name="File">
                  {file}
                </th>
                {[row ?? UNKNOWN, column ?? UNKNOWN, value, expected].map((cell, at) => (
                  <td key={at} data-name={REFUSAL[at + 1]}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
