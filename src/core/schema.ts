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
    v.metadata({ rawBytes: maxBytes }),
  );
}

export function integer(min: number, max: number) {
  const expected = `an integer from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.safeInteger(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
    v.metadata({ integer: [min, max] }),
  );
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
 * objects, arrays, tuples, optional and nullable values and variants; anything else passes unchanged, what does not fit
 * the schema too, so that parsing the outcome names it.
 */
export function toWire(schema: v.GenericSchema, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const node = schema as unknown as SchemaNode;
  if (metadataOf(node).hexBytes !== undefined) {
    return typeof value === 'string' && HEX_PAIRS.test(value) ? fromHex(value) : value;
  }
  switch (node.type) {
    case 'strict_object':
    case 'object': {
      if (typeof value !== 'object') return value;
      const entries = Object.entries(node.entries ?? {}).filter(([key]) => (value as Fields)[key] !== undefined);
      return Object.fromEntries(entries.map(([key, inner]) => [key, toWire(inner, (value as Fields)[key])]));
    }
    case 'array':
      return Array.isArray(value) ? value.map((item) => (node.item ? toWire(node.item, item) : item)) : value;
    case 'tuple':
    case 'strict_tuple':
      if (!Array.isArray(value)) return value;
      return value.map((item, i) => {
        const inner = node.items?.[i];
        return inner ? toWire(inner, item) : item;
      });
    case 'optional':
    case 'nullable':
      return node.wrapped ? toWire(node.wrapped, value) : value;
    case 'variant': {
      const option = optionFor(node, value as Fields);
      return option ? toWire(option, value) : value;
    }
    default:
      return value;
  }
}

const HEX_PAIRS = /^(?:[0-9a-f]{2})*$/;

/** What a schema accepts, where that can be said in a word; all else is `other`. */
export type Shape =
  | { readonly kind: 'hex'; readonly length: number }
  | { readonly kind: 'bytes'; readonly max: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'list'; readonly item: v.GenericSchema; readonly max: number }
  | { readonly kind: 'tuple'; readonly items: readonly v.GenericSchema[] }
  | { readonly kind: 'object'; readonly fields: readonly ShapeField[] }
  | { readonly kind: 'nullable'; readonly wrapped: v.GenericSchema }
  | { readonly kind: 'other' };

export interface ShapeField {
  readonly key: string;
  readonly schema: v.GenericSchema;
  readonly isOptional: boolean;
}

/** For whoever reads and writes values of a schema by the thousand, and wants to ask it no more than once. */
export function shapeOf(schema: v.GenericSchema): Shape {
  const node = schema as unknown as SchemaNode;
  const { hexBytes: hex, rawBytes: max, integer: range } = metadataOf(node);
  if (hex !== undefined) return { kind: 'hex', length: hex };
  if (max !== undefined) return { kind: 'bytes', max };
  if (range !== undefined) return { kind: 'integer', min: range[0], max: range[1] };
  const [, bound, ...more] = node.pipe ?? [];
  if (node.type === 'array' && node.item && bound?.type === 'max_length' && more.length === 0) {
    return { kind: 'list', item: node.item, max: bound.requirement as number };
  }
  // Whatever is checked of a whole is not known here.
  if (node.pipe !== undefined) return { kind: 'other' };
  if (node.type === 'strict_tuple' && node.items) return { kind: 'tuple', items: node.items };
  if (node.type === 'strict_object' && node.entries) {
    return { kind: 'object', fields: Object.entries(node.entries).map(([key, inner]) => fieldOf(key, inner)) };
  }
  if (node.type === 'nullable' && node.wrapped) return { kind: 'nullable', wrapped: node.wrapped };
  return { kind: 'other' };
}

function fieldOf(key: string, schema: v.GenericSchema): ShapeField {
  const { type, wrapped, pipe } = schema as unknown as SchemaNode;
  const isOptional = type === 'optional' && wrapped !== undefined && pipe === undefined;
  return { key, schema: isOptional ? wrapped : schema, isOptional };
}

function metadataOf({ pipe }: SchemaNode): Metadata {
  return pipe?.find(({ type }) => type === 'metadata')?.metadata ?? {};
}

interface Metadata {
  readonly hexBytes?: number;
  readonly rawBytes?: number;
  readonly integer?: readonly [min: number, max: number];
}

type Fields = Record<string, unknown>;

interface SchemaNode {
  readonly type: string;
  readonly pipe?: readonly { readonly type: string; readonly metadata?: Metadata; readonly requirement?: unknown }[];
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly items?: readonly v.GenericSchema[];
  readonly wrapped?: v.GenericSchema;
  readonly options?: readonly v.GenericSchema[];
  readonly key?: string;
}

function optionFor({ key = '', options }: SchemaNode, value: Fields): v.GenericSchema | undefined {
  return options?.find((candidate) => {
    const { entries } = candidate as unknown as SchemaNode;
    const field = entries?.[key] as unknown as { literal?: unknown } | undefined;
    return field?.literal === value[key];
  });
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
  // Of a field too many valibot gives the name for its value.
  const got = describe(issue.expected === 'never' ? issue.path?.at(-1)?.value : issue.input);
  const lacks = got === 'missing' && (issue.type === 'strict_object' || issue.type === 'loose_object');
  const expected = lacks ? expectationAt(schema, issue.path ?? []) : expectation(issue);
  throw new HushError(code, `${what}: "${field}" is ${got}, expected ${expected}.`, {
    advice: `Correct "${field}" and try again.`,
  });
}

/** In words, what valibot names by its type. */
const WORDS: Readonly<Record<string, string>> = {
  never: 'no such field',
  Object: 'an object',
  Array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Uint8Array: 'hexadecimal digits in pairs',
};

function expectation({ message, expected }: v.BaseIssue<unknown>): string {
  if (!message.startsWith('Invalid ') && expected !== 'Object') return message;
  return expected === null ? message : (WORDS[expected] ?? expected);
}

/** What is expected at `path`: of a missing field valibot says its name alone. */
function expectationAt(schema: v.GenericSchema, path: readonly v.IssuePathItem[]): string {
  let at: v.GenericSchema | undefined = schema;
  for (const { key, input } of path) {
    const given = at as unknown as SchemaNode | undefined;
    const node = given?.type === 'optional' ? (given.wrapped as unknown as SchemaNode) : given;
    const inner = node?.type === 'variant' ? (optionFor(node, input as Fields) as unknown as SchemaNode) : node;
    at = inner?.entries?.[String(key)] ?? inner?.item;
  }
  const result = at && v.safeParse(at, undefined, { abortEarly: true });
  return result?.success === false ? expectation(result.issues[0]) : 'a value';
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const shown = JSON.stringify(value) ?? typeof value;
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}
