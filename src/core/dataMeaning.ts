/** A sentence for each field of `data.schema`, for docs/plan.md; `planFields.ts` in tools says how the keys are made. */

const NAME = 'The heading of the column.';

const MISSING = {
  mean: 'What an empty cell becomes: the mean (that of `normalise`, else of the participant’s own data), 0 after normalisation, 0 beside a further value that is 1 (`own category`), or a refused row.',
  zero: 'What an empty cell becomes: no category, a category of its own, or a refused row.',
};

function scaleOf(key: string, of: string): Readonly<Record<string, string>> {
  return {
    [key]: `How ${of} is made small: mean off, then divided by the deviation. Without it, it stays as it is.`,
    [`${key}.mean`]: 'What is taken off.',
    [`${key}.deviation`]: 'What is divided by.',
  };
}

export const DATA_MEANING: Readonly<Record<string, string>> = {
  'data.schema': 'What the data must look like, and how examples are made of it.',
  'data.schema[images]': 'Images in folders by class, in a zip, or with a table of labels.',
  'data.schema[images].height': 'Rows of pixels that every image is made to have.',
  'data.schema[images].width': 'Columns of pixels that every image is made to have.',
  'data.schema[images].channels': '3 for colour, 1 for grey (by the luma of ITU-R BT.601).',
  'data.schema[images].fit': '`crop` keeps proportions and the middle, `stretch` keeps everything.',
  'data.schema[images].classes': 'Names of the folders, or what the table of labels says, in the order of the outputs.',
  'data.schema[images].labels': 'Where a table says which file is of which class.',
  'data.schema[images].labels.file': 'The column with the names of the files.',
  'data.schema[images].labels.class': 'The column with the classes.',
  'data.schema[images].normalise': 'How pixels, from 0 to 1, are made small; without it they stay so.',
  'data.schema[images].normalise.mean': 'What is taken off, one value for each channel.',
  'data.schema[images].normalise.deviation': 'What is divided by, one value for each channel.',
  'data.schema[images].augment': 'Other views of the same images, drawn anew in each epoch.',
  'data.schema[images].augment.flip': 'Mirrored left to right half of the time.',
  'data.schema[images].augment.shift': 'Moved by up to so many pixels down and across.',
  'data.schema[table]': 'A table: CSV, TSV or Parquet.',
  'data.schema[table].columns': 'Every column but the target, found by its name.',
  'data.schema[table].columns[][number]': 'A column of numbers gives one value.',
  'data.schema[table].columns[][number].name': NAME,
  'data.schema[table].columns[][number].missing': MISSING.mean,
  ...scaleOf('data.schema[table].columns[][number].normalise', 'the number'),
  'data.schema[table].columns[][category]':
    'A column of names gives a value for each category: 1 for its own, 0 for the others.',
  'data.schema[table].columns[][category].name': NAME,
  'data.schema[table].columns[][category].categories': 'Which categories there are.',
  'data.schema[table].columns[][category].categories[list]': 'Those that are listed; a row with another is refused.',
  'data.schema[table].columns[][category].categories[list].names': 'As they are in the table.',
  'data.schema[table].columns[][category].categories[hashed]': 'Any name, hashed into a bucket.',
  'data.schema[table].columns[][category].categories[hashed].buckets': 'How many buckets there are.',
  'data.schema[table].columns[][category].missing': MISSING.zero,
  'data.schema[table].columns[][date]': 'A column of dates gives the days since 1970, and two values for each cycle.',
  'data.schema[table].columns[][date].name': NAME,
  'data.schema[table].columns[][date].order':
    'How dates in figures are read: 2024-03-31 in any case, 31.3.2024 or 3/31/2024 by this.',
  'data.schema[table].columns[][date].cycles': 'Beside the days, a sine and a cosine of the place in each of these.',
  'data.schema[table].columns[][date].missing': MISSING.mean,
  ...scaleOf('data.schema[table].columns[][date].normalise', 'the number of days'),
  'data.schema[table].columns[][ignored]': 'A column that is there and gives nothing.',
  'data.schema[table].columns[][ignored].name': NAME,
  'data.schema[table].target': 'The column that is learnt.',
  'data.schema[table].target[class]': 'A class, for the task classification.',
  'data.schema[table].target[class].name': NAME,
  'data.schema[table].target[class].classes': 'The classes that there are; a row with another is refused.',
  'data.schema[table].target[value]': 'A number, for the task regression.',
  'data.schema[table].target[value].name': NAME,
  ...scaleOf('data.schema[table].target[value].normalise', 'the value'),
  'data.schema[text]': 'Text, for the task next-token: plain files, or a column of a table.',
  'data.schema[text].tokens': 'What a text is cut into.',
  'data.schema[text].tokens[bytes]': 'The bytes of its UTF-8, 256 of them.',
  'data.schema[text].tokens[bpe]': 'Pairs of bytes put together (Sennrich et al. 2016).',
  'data.schema[text].tokens[bpe].merges': 'In order; each two tokens in GPT-2’s letters, with a space between.',
  'data.schema[text].length': 'Tokens of one example; what is learnt is the same text, one token further on.',
  'data.schema[text].stride': 'Tokens from the start of one example to that of the next.',
  'data.schema[text].column': 'The column of a table that holds the text; without it the files are the text.',
};
