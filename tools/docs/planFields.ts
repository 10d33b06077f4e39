/** The fields of the plan's schema, one by one, as the page of documentation lists them. */
import { expectedDataSchema } from '../../src/core/dataSchema.ts';
import { planSchema } from '../../src/core/plan.ts';

/** One field of the plan, or of a form that a field can have. */
export interface PlanField {
  /**
   * What its sentence is found by: names with points between, `[]` for an item of a list, and behind a field that has
   * several forms the form, as in "model[mlp].hidden[]".
   */
  readonly key: string;
  /** As a plan has it: without the forms. */
  readonly path: string;
  /** Type and range in words. */
  readonly value: string;
  /** As JSON; "required", or "none" where it may be left out. */
  readonly byDefault: string;
}

/** Fields that belong together: those of the plan itself, of one of its parts, or of one form of a part. */
export interface PlanSection {
  /** The key of the part or form; empty for the plan. */
  readonly key: string;
  /** Undefined where it is no form of several. */
  readonly form?: { readonly path: string; readonly tag: string; readonly name: string };
  readonly fields: readonly PlanField[];
}

/** As much of a valibot schema as is looked at here. */
interface SchemaNode {
  readonly type: string;
  readonly message?: unknown;
  readonly pipe?: readonly SchemaNode[];
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly default?: unknown;
  readonly options?: readonly SchemaNode[];
  readonly key?: string;
  readonly literal?: unknown;
}

/** What stands in more than one place has its sentences, and its section, once. */
const SHARED: ReadonlyMap<unknown, string> = new Map([[expectedDataSchema, 'data.schema']]);

export function planSections(): readonly PlanSection[] {
  const walk = new Walk();
  walk.section('', planSchema as unknown as SchemaNode);
  return walk.sections;
}

class Walk {
  readonly sections: PlanSection[] = [];
  readonly #shared = new Set<string>();

  section(key: string, node: SchemaNode, form?: PlanSection['form']): void {
    const at = this.sections.length;
    const fields: PlanField[] = [];
    // Before those of its parts, which are found on the way.
    this.sections.push({ key, fields, ...(form && { form }) });
    this.#fields(key, node, fields, form?.tag);
    // A form without fields of its own is told by its sentence.
    if (fields.length === 0 && !form) this.sections.splice(at, 1);
  }

  #fields(key: string, { entries = {} }: SchemaNode, fields: PlanField[], tag?: string): void {
    for (const [name, entry] of Object.entries(entries)) {
      if (name !== tag) this.#field(key === '' ? name : `${key}.${name}`, entry, fields);
    }
  }

  #field(key: string, entry: SchemaNode, fields: PlanField[]): void {
    const { node, byDefault } = unwrapped(entry);
    const shared = SHARED.get(node);
    const own = shared ?? key;
    fields.push({ key: own, path: pathOf(own), value: valueOf(node), byDefault });
    if (shared !== undefined && this.#shared.has(shared)) return;
    if (shared !== undefined) this.#shared.add(shared);
    this.#inside(own, node, fields);
  }

  /** Parts with few fields are listed with what they belong to; forms have sections of their own. */
  #inside(key: string, node: SchemaNode, fields: PlanField[]): void {
    if (node.type === 'variant') {
      const tag = node.key ?? '';
      for (const option of node.options ?? []) {
        const name = String(option.entries?.[tag]?.literal);
        this.section(`${key}[${name}]`, option, { path: pathOf(key), tag, name });
      }
    } else if (node.type === 'array' && node.item) {
      const item = unwrapped(node.item).node;
      this.#inside(`${key}[]`, item, fields);
    } else if (node.entries && !key.includes('.') && !key.endsWith('[]')) {
      this.section(key, node);
    } else if (node.entries) {
      this.#fields(key, node, fields);
    }
  }
}

function unwrapped(entry: SchemaNode): { readonly node: SchemaNode; readonly byDefault: string } {
  if (!entry.wrapped) return { node: entry, byDefault: 'required' };
  const { node } = unwrapped(entry.wrapped);
  return { node, byDefault: entry.default === undefined ? 'none' : JSON.stringify(entry.default) };
}

function pathOf(key: string): string {
  return key.replaceAll(/\[[^\]]+\]/g, '');
}

/** The last check of a pipe says most; numbers and texts say their range themselves. */
function valueOf(node: SchemaNode): string {
  if (node.type === 'variant') return `an object; \`${node.key}\` is ${String(node.message)}`;
  if (node.type === 'literal') return `always \`${JSON.stringify(node.literal)}\``;
  const messages = node.pipe?.flatMap(({ message }) => (typeof message === 'string' ? [message] : [])) ?? [];
  if (node.type === 'array') return ['a list', ...messages.slice(0, 1)].join(' of ') + eachOf(node.item);
  if (node.entries) return 'an object';
  return messages.at(-1) ?? (typeof node.message === 'string' ? node.message : node.type);
}

function eachOf(item: SchemaNode | undefined): string {
  return item && item.type !== 'unknown' ? `, each ${valueOf(unwrapped(item).node)}` : '';
}
