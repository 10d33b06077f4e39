/** Changes of one part of a plan's text that leave the rest as its author wrote it, since the plan's hash is over the text. */
import type { Admission } from '../core/plan.ts';

export interface NamedPerson {
  readonly name: string;
  readonly key: string;
}

export interface PlanSecurity {
  readonly admission: string;
  readonly names: readonly NamedPerson[];
}

/** Undefined while the text is not a plan that can be changed by parts. */
export function securityIn(text: string): PlanSecurity | undefined {
  const security = securityOf(text);
  if (security === undefined) return undefined;
  const { admission, names } = security;
  const listed = Array.isArray(names) ? names.filter(isPerson) : [];
  return { admission: typeof admission === 'string' ? admission : '', names: listed };
}

/** The same text with another `security.admission` or `security.names`. @returns undefined as `securityIn` does. */
export function withSecurity(
  text: string,
  change: { readonly admission?: Admission; readonly names?: readonly NamedPerson[] },
): string | undefined {
  const security = securityOf(text);
  const span = topLevelSpan(text, 'security');
  if (security === undefined || span === undefined) return undefined;
  const { names: before, ...rest } = { ...security, ...change };
  const names = Array.isArray(before) ? (before as readonly unknown[]) : [];
  const fields = Object.entries(rest).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  const people = names.map((person) => `\n      ${JSON.stringify(person)}`).join(',');
  const value =
    names.length === 0
      ? `{ ${fields.join(', ')} }`
      : `{\n    ${fields.join(',\n    ')},\n    "names": [${people}\n    ]\n  }`;
  return text.slice(0, span[0]) + value + text.slice(span[1]);
}

/** The same text with another `model`. Undefined while the text is not a plan that has one. */
export function withModel(text: string, model: object): string | undefined {
  if (typeof planIn(text)?.['model'] !== 'object') return undefined;
  const span = topLevelSpan(text, 'model');
  return span && text.slice(0, span[0]) + JSON.stringify(model) + text.slice(span[1]);
}

/** Whether the plan's task is to learn a value; false where the text is not a plan. */
export function learnsValues(text: string): boolean {
  const task = planIn(text)?.['task'] as { readonly kind?: unknown } | null | undefined;
  return task?.kind === 'regression';
}

/** One person a line, the key last, as people send it: "Ada Lovelace 1f3c…". */
export function readPeople(lines: string): readonly NamedPerson[] {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const at = Math.max(line.lastIndexOf(' '), line.lastIndexOf('\t'));
      return at < 0
        ? { name: '', key: line }
        : { name: line.slice(0, at).replace(/[\s,:;]+$/, ''), key: line.slice(at + 1).toLowerCase() };
    });
}

export function peopleText(people: readonly NamedPerson[]): string {
  return people.map(({ name, key }) => `${name} ${key}`.trim()).join('\n');
}

function securityOf(text: string): Fields | undefined {
  const security = planIn(text)?.['security'];
  return isFields(security) ? security : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function planIn(text: string): Fields | undefined {
  try {
    const plan: unknown = JSON.parse(text);
    return isFields(plan) ? plan : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPerson(value: unknown): value is NamedPerson {
  const { name, key } = (value ?? {}) as Partial<Record<'name' | 'key', unknown>>;
  return typeof name === 'string' && typeof key === 'string';
}

/** Where the value of a key of the outermost object begins and ends, in a text that is known to be JSON. */
function topLevelSpan(text: string, key: string): readonly [number, number] | undefined {
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g);
  let depth = 0;
  let last = '';
  let begin = -1;
  for (const { 0: token, index } of tokens) {
    if (begin >= 0 && depth === 1 && (token === ',' || token === '}')) {
      return [begin, begin + text.slice(begin, index).trimEnd().length];
    }
    if (token === ':' && depth === 1 && last === key && begin < 0) {
      begin = index + 1 + (/^\s*/.exec(text.slice(index + 1))?.[0].length ?? 0);
    }
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (token.startsWith('"')) last = JSON.parse(token) as string;
  }
  return undefined;
}
