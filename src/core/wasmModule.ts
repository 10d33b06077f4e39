/** WebAssembly modules from assembled functions (WebAssembly Core Specification 2.0, section 5.5). */
import { utf8 } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { code, i32, local, unsigned } from './wasmAssembler.ts';
import type { Code } from './wasmAssembler.ts';

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

const TYPE_BYTES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A parameter or local of a function. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
}

export class FunctionBuilder {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  #code: Code[] = [];

  constructor(parameters: readonly ValueType[] = [], results: readonly ValueType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  parameter(index: number): Local {
    return localAt(index);
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return localAt(this.parameters.length + this.#locals.length - 1);
  }

  append(...parts: readonly Code[]): void {
    this.#code.push(...parts);
  }

  /** Locals and instructions, as the code section has them. */
  encoded(): Code {
    const locals = this.#locals.map((type) => [1, TYPE_BYTES[type]]);
    const whole = [...unsigned(locals.length), ...locals.flat(), ...code(...this.#code), 0x0b];
    return [...unsigned(whole.length), ...whole];
  }
}

function localAt(index: number): Local {
  return { get: local.get(index), set: (value) => [...value, ...local.set(index)] };
}

export interface MemoryType {
  readonly pages: number;
  /** Of a shared memory, which must say how far it may grow. */
  readonly sharedUpTo?: number;
}

interface Imported {
  readonly name: string;
  readonly type: number;
}

const EMPTY_MODULE: Code = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const IMPORTS_FROM = 'host';

const section = (id: number, items: readonly Code[]): Code => {
  if (items.length === 0) return [];
  const content = code(unsigned(items.length), ...items);
  return [id, ...unsigned(content.length), ...content];
};
const name = (text: string): Code => [...unsigned(text.length), ...utf8(text)];

/** Functions are numbered as they come, imported ones first; globals are mutable integers that the host sets. */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #encodedTypes: Code[] = [];
  readonly #imports: Imported[] = [];
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: Code[] = [];
  #globals = 0;

  /** A function of the host, under `host.<name>`. All come before the first `define`. */
  import(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): number {
    if (this.#functions.length > 0) throw new RangeError('Imports come before functions.');
    this.#imports.push({ name, type: this.#type(parameters, results) });
    return this.#imports.length - 1;
  }

  define(built: FunctionBuilder, exported?: string): number {
    const index = this.#imports.length + this.#functions.length;
    this.#functions.push(built);
    if (exported !== undefined) this.#exports.push([...name(exported), 0x00, ...unsigned(index)]);
    return index;
  }

  /** A mutable i32 that starts at zero. */
  global(exported: string): number {
    this.#exports.push([...name(exported), 0x03, ...unsigned(this.#globals)]);
    return this.#globals++;
  }

  /** `imported`: the memory is `host.memory`; otherwise the module has it and exports it as `memory`. */
  bytes(memory: MemoryType, origin: 'imported' | 'own'): Bytes {
    const { pages, sharedUpTo } = memory;
    const limits: Code =
      sharedUpTo === undefined ? [0x00, ...unsigned(pages)] : [0x03, ...unsigned(pages), ...unsigned(sharedUpTo)];
    const functions = this.#functions.map(({ parameters, results }) => unsigned(this.#type(parameters, results)));
    const imports = this.#imports.map((each) => [
      ...name(IMPORTS_FROM),
      ...name(each.name),
      0x00,
      ...unsigned(each.type),
    ]);
    const owns = origin === 'own';
    const globals = Array.from({ length: this.#globals }, () => [TYPE_BYTES.i32, 0x01, ...i32.constant(0), 0x0b]);
    const parts = [
      EMPTY_MODULE,
      section(1, this.#encodedTypes),
      section(2, owns ? imports : [...imports, [...name(IMPORTS_FROM), ...name('memory'), 0x02, ...limits]]),
      section(3, functions),
      section(5, owns ? [limits] : []),
      section(6, globals),
      section(7, owns ? [...this.#exports, [...name('memory'), 0x02, 0x00]] : this.#exports),
      section(
        10,
        this.#functions.map((built) => built.encoded()),
      ),
    ];
    return Uint8Array.from(code(...parts));
  }

  #type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known !== -1) return known;
    const side = (types: readonly ValueType[]): Code => [types.length, ...types.map((type) => TYPE_BYTES[type])];
    this.#types.push(key);
    this.#encodedTypes.push([0x60, ...side(parameters), ...side(results)]);
    return this.#types.length - 1;
  }
}
