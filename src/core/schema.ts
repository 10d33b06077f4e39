/** The one place through which valibot enters: schemas for documents and messages, and errors that name field and value. */
import * as v from 'valibot';
import { fromHex, toHex } from './bytes.ts';
import { HushError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

export { v };

/** What a schema's value is once decoded. */
export type Decoded<Schema extends v.GenericSchema> = v.InferOutput<Schema>;

/** `length` raw bytes on the wire, lower-case hexadecimal text once decoded. */
export function hexBytes<Text extends string>(length: number) {
  return v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.length === length, `${length} bytes`),
    v.transform((bytes) => toHex(bytes) as Text),
    v.metadata({ hexBytes: length }),
  );
}

/** Raw bytes, at most `maxBytes`. */
export function rawBytes(maxBytes: number) {
  return v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.length <= maxBytes, `at most ${maxBytes} bytes`),
  );
}

export function integer(min: number, max: number) {
  const expected = `an integer from ${min} to ${max}`;
  return v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(min, expected), v.maxValue(max, expected));
}

export function finite(min: number, max: number) {
  const expected = `a number from ${min} to ${max}`;
  return v.pipe(v.number(expected), v.finite(expected), v.minValue(min, expected), v.maxValue(max, expected));
}

export function text(maxLength: number) {
  const expected = `text of 1 to ${maxLength} characters`;
  return v.pipe(v.string(expected), v.minLength(1, expected), v.maxLength(maxLength, expected));
}

/** At most `max` items: every list that comes from outside has a bound. */
export function list<const Item extends v.GenericSchema>(item: Item, max: number) {
  return v.pipe(v.array(item), v.maxLength(max, `at most ${max} items`));
}

/**
 * Undoes what the schema's transforms did, so that the value can be encoded: `hexBytes` text becomes bytes again. Walks
 * objects, arrays, tuples, optional and nullable values and variants; anything else passes unchanged.
 */
export function toWire(schema: v.GenericSchema, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const node = schema as unknown as SchemaNode;
  if (node.pipe?.some((item) => item.type === 'metadata' && item.metadata && 'hexBytes' in item.metadata)) {
    return fromHex(value as string);
  }
  switch (node.type) {
    case 'strict_object':
    case 'object': {
      const entries = Object.entries(node.entries ?? {}).filter(([key]) => (value as Fields)[key] !== undefined);
      return Object.fromEntries(entries.map(([key, inner]) => [key, toWire(inner, (value as Fields)[key])]));
    }
    case 'array':
      return (value as unknown[]).map((item) => (node.item ? toWire(node.item, item) : item));
    case 'tuple':
    case 'strict_tuple':
      return (value as unknown[]).map((item, i) => {
        const inner = node.items?.[i];
        return inner ? toWire(inner, item) : item;
      });
    case 'optional':
    case 'nullable':
      return node.wrapped ? toWire(node.wrapped, value) : value;
    case 'variant': {
      const key = node.key ?? '';
      const option = node.options?.find((candidate) => {
        const literal = candidate as unknown as SchemaNode;
        const field = literal.entries?.[key] as unknown as { literal?: unknown } | undefined;
        return field?.literal === (value as Fields)[key];
      });
      return option ? toWire(option, value) : value;
    }
    default:
      return value;
  }
}

type Fields = Record<string, unknown>;

interface SchemaNode {
  readonly type: string;
  readonly pipe?: readonly { readonly type: string; readonly metadata?: object }[];
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly items?: readonly v.GenericSchema[];
  readonly wrapped?: v.GenericSchema;
  readonly options?: readonly v.GenericSchema[];
  readonly key?: string;
}

/**
 * Checks a document written by a person.
 * @throws HushError with `code`, naming the first wrong field, the value that it had and what was expected.
 */
export function parseDocument<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
  code: ErrorCode,
): Decoded<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? '(the whole document)';
  const got = describe(issue.input);
  throw new HushError(code, `${what}: "${field}" is ${got}, expected ${expectation(issue)}.`, {
    advice: `Correct "${field}" and try again.`,
  });
}

function expectation(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.expected === 'never') return 'no such field';
  return issue.expected ?? issue.message;
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  const shown = JSON.stringify(value) ?? typeof value;
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}
