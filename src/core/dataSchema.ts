/** What a plan expects of private data: images, a table or text, and how they become examples. */
import { BytePairs, MAX_MERGES } from './bytePairs.ts';
import { featureWidth } from './dataShape.ts';
import { HushError } from './errors.ts';
import type { Decoded } from './schema.ts';
import { finite, integer, list, parseDocument, text, v } from './schema.ts';

/** One example has at most this many values. */
const MAX_WIDTH = 1_000_000;

const MAX_CLASSES = 65_536;

const NAME_LENGTH = 200;

const SCALE = { mean: finite(-1e30, 1e30), deviation: finite(1e-30, 1e30) };

const classesSchema = list(text(NAME_LENGTH), MAX_CLASSES);

const imagesSchema = v.strictObject({
  kind: v.literal('images'),
  height: integer(1, 4096),
  width: integer(1, 4096),
  /** 1: grey, by the luma of ITU-R BT.601. */
  channels: v.picklist([1, 3], 'one of 1, 3'),
  /** `crop` keeps the proportions and the middle, `stretch` keeps everything. */
  fit: v.picklist(['crop', 'stretch'], 'one of crop, stretch'),
  /** Names of the folders, or what the file of labels says. */
  classes: classesSchema,
  /** The columns of a CSV file that says which file is of which class. */
  labels: v.optional(v.strictObject({ file: text(NAME_LENGTH), class: text(NAME_LENGTH) }), {
    file: 'file',
    class: 'class',
  }),
  /** One value a channel, for pixels from 0 to 1; without it they are left so. */
  normalise: v.optional(v.strictObject({ mean: list(finite(-1000, 1000), 3), deviation: list(finite(1e-6, 1000), 3) })),
  /** Done anew in each epoch: mirrored left to right half of the time, and moved by up to `shift` pixels. */
  augment: v.optional(v.strictObject({ flip: v.boolean('true or false'), shift: integer(0, 64) })),
});

/**
 * A missing number becomes the mean (the plan's, or that of the participant's own data), a feature of 0 after
 * normalisation, the same with a further feature that is 1, or a refused row.
 */
const NUMBER_MISSING = ['mean', 'zero', 'own category', 'refuse'] as const;
const numberMissing = v.optional(v.picklist(NUMBER_MISSING, `one of ${NUMBER_MISSING.join(', ')}`), 'refuse');

const CATEGORY_MISSING = ['zero', 'own category', 'refuse'] as const;

const categoriesSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('list'), names: list(text(NAME_LENGTH), 65_536) }),
    /** Which bucket a name falls into is told by `hashBucket`. */
    v.strictObject({ kind: v.literal('hashed'), buckets: integer(2, 65_536) }),
  ],
  'one of list, hashed',
);

const columnSchema = v.variant(
  'type',
  [
    v.strictObject({
      name: text(NAME_LENGTH),
      type: v.literal('number'),
      missing: numberMissing,
      normalise: v.optional(v.strictObject(SCALE)),
    }),
    v.strictObject({
      name: text(NAME_LENGTH),
      type: v.literal('category'),
      categories: categoriesSchema,
      missing: v.optional(v.picklist(CATEGORY_MISSING, `one of ${CATEGORY_MISSING.join(', ')}`), 'refuse'),
    }),
    v.strictObject({
      name: text(NAME_LENGTH),
      type: v.literal('date'),
      /** Of dates in figures: 2024-03-31 in any case, 31.3.2024 or 3/31/2024 by this. */
      order: v.optional(
        v.picklist(['year first', 'day first', 'month first'], 'one of year first, day first, month first'),
        'year first',
      ),
      /** Beside the days since 1970, a sine and a cosine of the place in each of these. */
      cycles: v.optional(list(v.picklist(['year', 'week', 'day'], 'one of year, week, day'), 3), []),
      missing: numberMissing,
      normalise: v.optional(v.strictObject(SCALE)),
    }),
    v.strictObject({ name: text(NAME_LENGTH), type: v.literal('ignored') }),
  ],
  'one of number, category, date, ignored',
);

const targetSchema = v.variant(
  'kind',
  [
    v.strictObject({ name: text(NAME_LENGTH), kind: v.literal('class'), classes: classesSchema }),
    v.strictObject({
      name: text(NAME_LENGTH),
      kind: v.literal('value'),
      normalise: v.optional(v.strictObject(SCALE)),
    }),
  ],
  'one of class, value',
);

const tableSchema = v.strictObject({
  kind: v.literal('table'),
  columns: list(columnSchema, 10_000),
  target: targetSchema,
});

const tokensSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('bytes') }),
    /** Byte pair encoding: merges in order, each two tokens in GPT-2's letters with a space between. */
    v.strictObject({ kind: v.literal('bpe'), merges: list(text(512), MAX_MERGES) }),
  ],
  'one of bytes, bpe',
);

const textSchema = v.strictObject({
  kind: v.literal('text'),
  tokens: tokensSchema,
  /** Tokens of one example; the targets are the same, one further on. */
  length: integer(1, 65_536),
  /** Tokens from the start of one example to that of the next. */
  stride: integer(1, 65_536),
  /** The column of a table that holds the text; without it the files are the text. */
  column: v.optional(text(NAME_LENGTH)),
});

export const expectedDataSchema = v.variant(
  'kind',
  [imagesSchema, tableSchema, textSchema],
  'one of images, table, text',
);

export type ExpectedData = Decoded<typeof expectedDataSchema>;
export type ExpectedImages = Decoded<typeof imagesSchema>;
export type ExpectedTable = Decoded<typeof tableSchema>;
export type ExpectedText = Decoded<typeof textSchema>;
export type TableColumn = Decoded<typeof columnSchema>;
export type TableTarget = Decoded<typeof targetSchema>;
export type TokenKind = Decoded<typeof tokensSchema>;

/** @throws HushError `plan/invalid`, naming the field, its value and what was expected. */
export function parseExpectedData(value: unknown): ExpectedData {
  const expected = parseDocument(expectedDataSchema, value, 'Data', 'plan/invalid');
  checkExpectedData(expected);
  return expected;
}

/** Makes the error of a field that is wrong. */
export type WrongField = (field: string, got: unknown, expected: string) => HushError;

/** What one field alone cannot tell. @throws HushError `plan/invalid`, as `wrong` makes it. */
export function checkExpectedData(expected: ExpectedData, wrong: WrongField = wrongData): void {
  switch (expected.kind) {
    case 'images':
      checkImages(expected, wrong);
      break;
    case 'table':
      checkTable(expected, wrong);
      break;
    case 'text':
      if (expected.tokens.kind === 'bpe') BytePairs.of(expected.tokens.merges);
      break;
    default:
      expected satisfies never;
  }
}

function checkImages({ height, width, channels, classes, normalise }: ExpectedImages, wrong: WrongField): void {
  const values = height * width * channels;
  if (values > MAX_WIDTH) throw wrong('height', height, `height · width · channels of at most ${MAX_WIDTH}`);
  checkNames('classes', classes, wrong);
  for (const field of ['mean', 'deviation'] as const) {
    const given = normalise?.[field];
    if (given && given.length !== channels) {
      throw wrong(`normalise.${field}`, given, `one value for each of the ${channels} channels`);
    }
  }
}

function checkTable({ columns, target }: ExpectedTable, wrong: WrongField): void {
  const seen = new Set([target.name]);
  columns.forEach((column, i) => {
    if (seen.has(column.name)) throw wrong(`columns.${i}.name`, column.name, 'each name once, the target among them');
    seen.add(column.name);
    if (column.type === 'category' && column.categories.kind === 'list') {
      checkNames(`columns.${i}.categories.names`, column.categories.names, wrong);
    }
  });
  const width = columns.reduce((sum, column) => sum + featureWidth(column), 0);
  if (width < 1 || width > MAX_WIDTH) throw wrong('columns', columns.length, `1 to ${MAX_WIDTH} values in all`);
  if (target.kind === 'class') checkNames('target.classes', target.classes, wrong);
}

function checkNames(field: string, names: readonly string[], wrong: WrongField): void {
  if (names.length === 0) throw wrong(field, names, 'at least one name');
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice !== -1) throw wrong(`${field}.${twice}`, names[twice], 'each name once');
}

function wrongData(field: string, got: unknown, expected: string): HushError {
  return new HushError('plan/invalid', `Data: "${field}" is ${JSON.stringify(got)}, expected ${expected}.`, {
    advice: `Correct "${field}" and try again.`,
  });
}
