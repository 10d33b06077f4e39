/** The index of a data set of natural clients: which files each has, with the digests that they must have. */
import { HushError } from '../core/errors.ts';
import type { Decoded } from '../core/schema.ts';
import { list, parseDocument, text, v } from '../core/schema.ts';

const MAX_CLIENTS = 10_000;

/** One name, so that nothing outside the data set's folder is meant; gzipped, its content hashed as it is uncompressed. */
const fileSchema = v.strictObject({
  file: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,80}\.(?:csv|txt)\.gz$/, 'a name such as biscoe-training.csv.gz')),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')),
});

const indexSchema = v.strictObject({
  clients: list(v.strictObject({ name: text(80), training: fileSchema, test: fileSchema }), MAX_CLIENTS),
});

export type ClientIndex = Decoded<typeof indexSchema>;
export type ClientEntry = ClientIndex['clients'][number];
export type ClientFile = Decoded<typeof fileSchema>;

/** @throws HushError `data/index`, naming `path`, field, value and what was expected. */
export function parseClientIndex(content: Uint8Array, path: string): ClientIndex {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new HushError('data/index', `${path} is not valid JSON.`, { cause });
  }
  return parseDocument(indexSchema, value, path, 'data/index');
}
