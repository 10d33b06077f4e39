/** Giving the model one row of a table, by a form that the plan's columns make. */
import { useId, useState } from 'preact/hooks';
import type { ExpectedTable, TableColumn } from '../core/dataSchema.ts';
import { AnswerView, useAsked } from './tryAnswer.tsx';
import { HeldOutButton } from './tryImage.tsx';
import type { WayProps } from './tryAnswer.tsx';

/** A select with more than so many names is slower than typing one. */
const MOST_OPTIONS = 200;

type UsedColumn = Exclude<TableColumn, { readonly type: 'ignored' }>;

export function TryRow({ tryOut, problemOf, hasHeldOut, expected }: WayProps & { readonly expected: ExpectedTable }) {
  const asked = useAsked(problemOf);
  const [cells, setCells] = useState<ReadonlyMap<string, string>>(new Map());
  const used = expected.columns.filter((column): column is UsedColumn => column.type !== 'ignored');
  return (
    <div class="try">
      <form
        class="try-given try-row"
        onSubmit={(event) => {
          event.preventDefault();
          asked.ask(() => tryOut.row(cells));
        }}
      >
        {used.map((column) => (
          <CellField
            key={column.name}
            column={column}
            value={cells.get(column.name) ?? ''}
            onValue={(value) => setCells(new Map(cells).set(column.name, value))}
          />
        ))}
        <div class="buttons">
          <button type="submit" class="button primary">
            Ask for “{expected.target.name}”
          </button>
          {hasHeldOut && <HeldOutButton {...{ tryOut, asked }} />}
        </div>
      </form>
      <AnswerView asked={asked} unit={expected.target.name} />
    </div>
  );
}

function CellField({
  column,
  value,
  onValue,
}: {
  readonly column: UsedColumn;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  const id = useId();
  const names = column.type === 'category' && column.categories.kind === 'list' ? column.categories.names : undefined;
  return (
    <div class="field">
      <label for={id}>{column.name}</label>
      {names && names.length <= MOST_OPTIONS ? (
        <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          <option value="">{column.missing === 'refuse' ? 'Choose one' : 'missing'}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          value={value}
          inputMode={column.type === 'number' ? 'decimal' : 'text'}
          placeholder={column.type === 'date' ? '2024-03-31' : ''}
          autocomplete="off"
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </div>
  );
}
