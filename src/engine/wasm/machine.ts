/**
 * What is known while a network is compiled: the module, where everything lies in its one memory, and the lists of kernels
 * that make up a pass. A kernel is a function without parameters; each thread runs all of them, on its own share.
 */
import { call, code, global, i32, when } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import { FunctionBuilder, ModuleBuilder } from '../../core/wasmModule.ts';
import type { Local } from '../../core/wasmModule.ts';
import { held, int } from './expressions.ts';
import { panelBytes, panelCount, productFunction } from './product.ts';
import type { Arithmetic, ProductShape } from './product.ts';

/** Reserved at the start of the memory, for words that the host writes and kernels read. */
const CONTROL_BYTES = 1024;
/** So that no two buffers share a cache line. */
const ALIGNMENT = 64;

/** Address of the number of examples in the batch. */
export const ROWS_AT = 0;

/** Values of one layer for a batch, and the loss's gradient by them; addresses. */
export interface Tensor {
  readonly value: number;
  readonly gradient: number;
  /** Floats of one example. */
  readonly size: number;
  /** Whether anything that is learned lies before it. */
  readonly learns: boolean;
  /** Set by the first kernel that writes the gradient; those after it add to it. */
  hasGradient: boolean;
}

/** Forward ends with the loss; in an evaluation it is apart from the layers, in `figures`. */
export type Phase = 'forward' | 'evaluation' | 'figures' | 'backward';

/** What a kernel of one thread works on: from `from` up to `to`. */
export interface Share {
  readonly from: Local;
  readonly to: Local;
}

/** Where a product's factors and its output are; `given` is its shape's given number. */
export interface Operands {
  readonly left: Code;
  readonly right: Code;
  readonly output: Code;
  readonly given: Code;
  readonly most?: number;
}

export class Machine {
  readonly presets: { readonly at: number; readonly values: Float32Array }[] = [];
  readonly module = new ModuleBuilder();
  readonly arithmetic: Arithmetic;
  /** Most examples in a batch. */
  readonly capacity: number;
  readonly threads: number;
  /** Names of exported kernels, in order. */
  readonly kernels: Readonly<Record<Phase, string[]>> = { forward: [], evaluation: [], figures: [], backward: [] };
  /** Of all kernels. */
  readonly names: string[] = [];
  /** The host's natural logarithm, in double. */
  readonly logarithm: number;
  readonly rows: Code = int.load(int.of(ROWS_AT));
  readonly #part: Code;
  readonly #parts: Code;
  #end = CONTROL_BYTES;
  #control = 64;
  #scratch = 0;
  #scratchAt: number;

  constructor(capacity: number, arithmetic: Arithmetic, threads: number) {
    this.capacity = capacity;
    this.arithmetic = arithmetic;
    this.threads = threads;
    this.logarithm = this.module.import('log', ['f64'], ['f64']);
    this.#part = global.get(this.module.global('part'));
    this.#parts = global.get(this.module.global('parts'));
    this.#scratchAt = 0;
  }

  /** Zeroed memory for as long as the module lives. */
  allocate(bytes: number): number {
    const at = this.#end;
    this.#end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return at;
  }

  /** Of four bytes, at the start of the memory. */
  controlWord(): number {
    this.#control += 4;
    if (this.#control > CONTROL_BYTES) throw new RangeError('Out of control words.');
    return this.#control - 4;
  }

  /** Floats for every example of a batch. */
  perExample(floats: number): number {
    return this.allocate(4 * floats * this.capacity);
  }

  tensor(size: number, learns: boolean): Tensor {
    const value = this.perExample(size);
    return { value, gradient: learns ? this.perExample(size) : 0, size, learns, hasGradient: false };
  }

  /** Whether a kernel that writes this gradient now has to add to it. */
  addsTo(tensor: Tensor): boolean {
    const adds = tensor.hasGradient;
    tensor.hasGradient = true;
    return adds;
  }

  /** Each thread's own, overwritten by every kernel. Sizes are settled before `scratchAddress` is asked for. */
  needScratch(bytes: number): void {
    this.#scratch = Math.max(this.#scratch, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  }

  /** Its address is only known once all sizes are, so it is a word that the host writes. */
  get scratch(): Code {
    return int.add(int.load(int.of(SCRATCH_AT)), int.multiply(this.#part, int.load(int.of(SCRATCH_SIZE_AT))));
  }

  /** To be called when all kernels are there. */
  placeScratch(): { readonly at: number; readonly size: number } {
    this.#scratchAt = this.allocate(this.#scratch * this.threads);
    return { at: this.#scratchAt, size: this.#scratch };
  }

  /** Bytes of memory. */
  get end(): number {
    return this.#end;
  }

  get part(): Code {
    return this.#part;
  }

  get parts(): Code {
    return this.#parts;
  }

  /** Adds a kernel to the phases. */
  kernel(phases: readonly Phase[], write: (f: FunctionBuilder) => void): void {
    const f = new FunctionBuilder();
    write(f);
    this.#listed(f, phases);
  }

  /** A kernel that is called by its own name. */
  named(name: string, write: (f: FunctionBuilder) => void): void {
    const f = new FunctionBuilder();
    write(f);
    this.module.define(f, name);
    this.names.push(name);
  }

  /** For kernels that multiply themselves; `depth` is all of it. */
  product(shape: ProductShape, depth: number): number {
    this.needScratch(panelBytes(depth));
    return this.module.define(productFunction(shape, this.arithmetic));
  }

  /**
   * A kernel that is one product; the threads share its panels, or where those are few, the rows or what is outermost.
   * `most`: of the whole depth, when that is given.
   */
  multiply(phases: readonly Phase[], shape: ProductShape, { left, right, output, given, most }: Operands): void {
    const depth = most ?? (shape.depth === 'given' ? 0 : shape.depth * shape.parts);
    const index = this.product(shape, depth);
    const panels = panelCount(shape.columns);
    const outer = shape.outer[0];
    const steps = outer?.count === 'given' ? outer : { left: shape.left.row, output: shape.outputRow };
    const splitsRows = panels < 2 * this.threads && (shape.rows === 'given' || outer?.count === 'given');
    this.kernel(phases, (f) => {
      if (!splitsRows) {
        const { from, to } = this.share(f, int.of(panels));
        f.append(callProduct(index, left, right, output, given, from.get, to.get, this.scratch));
        return;
      }
      const { from, to } = this.share(f, given);
      const leftFrom = int.add(left, int.times(from.get, steps.left));
      const outputFrom = int.add(output, int.times(from.get, steps.output));
      const count = int.subtract(to.get, from.get);
      f.append(callProduct(index, leftFrom, right, outputFrom, count, int.of(0), int.of(panels), this.scratch));
    });
  }

  /** Floats that the host writes before anything runs. */
  preset(at: number, values: Float32Array): void {
    this.presets.push({ at, values });
  }

  /** This thread's share of `total` things, in whole multiples of `granule`. */
  share(f: FunctionBuilder, total: Code, granule = 1): Share {
    const all = held(f, 'i32', total);
    const units = int.divide(int.plus(all.get, granule - 1), int.of(granule));
    const each = int.divide(int.plus(int.add(units, this.#parts), -1), this.#parts);
    const chunk = held(f, 'i32', int.times(each, granule));
    const bounded = (value: Local): Code => value.set(int.smaller(value.get, all.get));
    const from = held(f, 'i32', int.multiply(this.#part, chunk.get));
    f.append(bounded(from));
    const to = held(f, 'i32', int.add(from.get, chunk.get));
    f.append(bounded(to));
    return { from, to };
  }

  /** Only for the thread with number 0. */
  once(f: FunctionBuilder, body: Code): void {
    f.append(when(code(this.#part, i32.isZero), body));
  }

  #listed(f: FunctionBuilder, phases: readonly Phase[]): void {
    const name = `${phases.join('_')}_${this.names.length}`;
    this.module.define(f, name);
    this.names.push(name);
    for (const phase of phases) this.kernels[phase].push(name);
  }
}

export const SCRATCH_AT = 4;
export const SCRATCH_SIZE_AT = 8;

export function callProduct(index: number, ...operands: readonly Code[]): Code {
  return code(...operands, call(index));
}

/** A layer whose forward kernels are there; `backward` adds the others, in the opposite order of layers. */
export interface Built {
  readonly output: Tensor;
  backward(): void;
}

/** Where the layout's values and their gradients begin. */
export interface Weights {
  readonly weight: number;
  readonly gradient: number;
}
