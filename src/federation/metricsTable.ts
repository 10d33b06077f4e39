/** metrics.csv: what of metrics.jsonl fits a table, for spreadsheets. */

/**
 * A column for each single value, in the order of the fields, those inside others as `point.testLoss`; what is not there
 * is empty. Lists and the counts of engines are in metrics.jsonl alone. `lines`: text of metrics.jsonl.
 */
export function metricsTable(lines: string): string {
  const rows = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => new Map(singleValues(JSON.parse(line) as object)));
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const table = [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ''))];
  return table.map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** Numbers, and words of our own: nothing that would need quotes. */
function singleValues(of: object, within = ''): readonly (readonly [string, string])[] {
  return Object.entries(of).flatMap(([name, value]: [string, unknown]) => {
    // What a count is of, its fields say.
    if (name === 'engines' || (name === 'kind' && within !== '') || value === null || Array.isArray(value)) return [];
    if (typeof value === 'object') return singleValues(value, `${within}${name}.`);
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return [[`${within}${name}`, shown] as const];
  });
}
