/** Made-up files of a person's own in every state, for the screen gallery and the screens' tests. */
import type { OwnFiles, OwnFilesView } from '../../src/core/application.ts';
import type { DataReport, PreviewExample } from '../../src/core/dataReport.ts';
import type { ExpectedData } from '../../src/core/dataSchema.ts';
import type { RunView } from '../../src/core/runView.ts';
import { before, running } from './fixtures.ts';
import { plan } from './fixturePlans.ts';

const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

export const TABLE: ExpectedData = {
  kind: 'table',
  columns: [
    {
      name: 'island',
      type: 'category',
      categories: { kind: 'list', names: ['Biscoe', 'Dream', 'Torgersen'] },
      missing: 'refuse',
    },
    { name: 'bill_length_mm', type: 'number', missing: 'mean', normalise: { mean: 44, deviation: 5.5 } },
    { name: 'body_mass_g', type: 'number', missing: 'refuse', normalise: { mean: 4200, deviation: 800 } },
    { name: 'sex', type: 'category', categories: { kind: 'list', names: ['male', 'female'] }, missing: 'own category' },
  ],
  target: { name: 'species', kind: 'class', classes: SPECIES },
};

export const IMAGES: ExpectedData = {
  kind: 'images',
  height: 8,
  width: 8,
  channels: 1,
  fit: 'crop',
  classes: ['circle', 'cross'],
  labels: { file: 'file', class: 'class' },
};

export const TEXT: ExpectedData = { kind: 'text', tokens: { kind: 'bytes' }, length: 64, stride: 32 };

const ROWS: readonly PreviewExample[] = Array.from({ length: 8 }, (_, i) => ({
  file: 'torgersen.csv',
  row: i + 2,
  source: ['Torgersen', i === 3 ? '' : String(39.1 + i), String(3750 + 25 * i), i === 5 ? '' : 'female'],
  inputs: Float32Array.of(0, 0, 1, i === 3 ? 0 : (39.1 + i - 44) / 5.5, (3750 + 25 * i - 4200) / 800, 0, 1, 0),
  target: SPECIES[i % 2] ?? '',
}));

const PICTURES: readonly PreviewExample[] = Array.from({ length: 12 }, (_, i) => ({
  file: `${i % 2 === 0 ? 'circle' : 'cross'}/${i}.png`,
  row: null,
  source: [],
  inputs: Uint8Array.from({ length: 64 }, (__, at) => {
    const [x, y] = [(at % 8) - 3.5, Math.floor(at / 8) - 3.5];
    const drawn = i % 2 === 0 ? Math.abs(Math.hypot(x, y) - 2.8) < 0.8 : Math.abs(Math.abs(x) - Math.abs(y)) < 0.5;
    return drawn ? 20 + 4 * i : 240;
  }),
  target: i % 2 === 0 ? 'circle' : 'cross',
}));

const WORDS = 'Four score and seven years ago our fathers brought forth, upon t';

const table: DataReport = {
  files: 2,
  rows: 146,
  kept: 141,
  refused: {
    count: 5,
    first: [
      { file: 'torgersen.csv', row: 5, column: 'body_mass_g', value: '"NA"', expected: 'a number' },
      {
        file: 'torgersen.csv',
        row: 48,
        column: 'island',
        value: '"Torgerson"',
        expected: 'one of Biscoe, Dream, Torgersen',
      },
      { file: 'dream.csv', row: 17, column: null, value: '4 cells', expected: '5 cells, as in the first row' },
      { file: 'dream.csv', row: 61, column: 'species', value: '"King"', expected: 'one of Adelie, Chinstrap, Gentoo' },
      {
        file: 'notes.docx',
        row: null,
        column: null,
        value: 'a zip archive',
        expected: 'a table as CSV, TSV or Parquet',
      },
    ],
  },
  byClass: [
    { name: 'Adelie', count: 92 },
    { name: 'Chinstrap', count: 49 },
    { name: 'Gentoo', count: 0 },
  ],
  warnings: ['No example is of the class "Gentoo".'],
  preview: ROWS,
};

const added = [
  { id: 1, name: 'torgersen.csv', files: 1, bytes: 3120 },
  { id: 2, name: 'field notes', files: 2, bytes: 48_300 },
];

const empty: OwnFilesView = {
  expected: TABLE,
  added: [],
  reading: undefined,
  report: undefined,
  problem: undefined,
  accepted: false,
  kept: false,
};

export const ownFilesStates: Readonly<Record<string, OwnFilesView>> = {
  empty,
  reading: {
    ...empty,
    added: added.slice(0, 1),
    report: table,
    reading: {
      progress: { file: 'field notes/dream.csv', bytesRead: 31_000, bytesTotal: 48_300, kept: 112, refused: 2 },
    },
  },
  table: { ...empty, added, report: table },
  images: {
    ...empty,
    expected: IMAGES,
    added: [{ id: 1, name: 'shapes', files: 240, bytes: 310_000 }],
    report: {
      files: 240,
      rows: 240,
      kept: 240,
      refused: { count: 0, first: [] },
      byClass: [
        { name: 'circle', count: 131 },
        { name: 'cross', count: 109 },
      ],
      warnings: [],
      preview: PICTURES,
    },
  },
  text: {
    ...empty,
    expected: TEXT,
    added: [{ id: 1, name: 'address.txt', files: 1, bytes: 1480 }],
    report: {
      files: 1,
      rows: 1,
      kept: 45,
      refused: { count: 0, first: [] },
      byClass: [],
      warnings: [],
      preview: Array.from({ length: 3 }, (_, i) => ({
        file: 'address.txt',
        row: null,
        source: [WORDS.slice(8 * i)],
        inputs: Int32Array.from({ length: 64 }, (__, at) => at),
        target: '',
      })),
    },
  },
  failed: {
    ...empty,
    added: added.slice(0, 1),
    report: table,
    problem: {
      code: 'worker/crashed',
      message: 'The training worker crashed: out of memory.',
      advice: 'Add fewer files at once.',
    },
  },
  accepted: { ...empty, added, report: table, accepted: true, kept: true },
};

const ownPlan = { ...plan, name: 'Penguins, by island', data: { kind: 'private' as const, schema: TABLE } };

/** The run of somebody whose files are in that state. */
export function choosingRun({ accepted }: OwnFilesView): RunView {
  if (accepted) return { ...running, plan: ownPlan };
  return {
    ...before(running, 'choosing', 'This plan trains on your own files, which stay in this tab.'),
    plan: ownPlan,
    engine: undefined,
    waiting: { for: 'your files', untilMs: undefined },
  };
}

/** Holds `view` still, and notes in `calls` what is asked of it. */
export function fakeOwnFiles(view: OwnFilesView, calls: string[]): OwnFiles {
  let current = view;
  const handlers = new Set<() => void>();
  const show = (change: Partial<OwnFilesView>): void => {
    current = { ...current, ...change };
    for (const handler of handlers) handler();
  };
  return {
    view: () => current,
    onChange(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    async add(files) {
      calls.push(`add ${files.map(({ path }) => path).join(', ')}`);
      show({ added, report: table });
    },
    async remove(id) {
      calls.push(`remove ${id}`);
      show({ added: current.added.filter((turn) => turn.id !== id) });
    },
    stop: () => void calls.push('stop reading'),
    async accept(keep) {
      calls.push(keep ? 'accept and keep' : 'accept');
      show({ accepted: true, kept: keep });
    },
    async forget() {
      calls.push('forget');
      show({ kept: false });
    },
  };
}
