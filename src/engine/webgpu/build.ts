/** A program under construction: the kernels of one step, and the gradients that flow back between units. */
import type { Tensor as ArenaTensor } from './arena.ts';
import { Tensor } from './arena.ts';
import type { Kernels } from './kernels.ts';
import { isPlain } from './units.ts';
import type { Source, Unit, Units } from './units.ts';
import { learn } from './update.ts';
import type { UpdateRule } from './update.ts';
import { dataReader, gradientTail, gradientTensors, tail, tensorReader } from './values.ts';
import type { GradientTail, Outputs, Reader, Width } from './values.ts';
import type { DataKind, Kernel } from './wgsl.ts';

export interface BuildOptions {
  readonly units: Units;
  /** Examples of one batch. */
  readonly rows: number;
  readonly data: { readonly kind: DataKind; readonly stride: number };
  /** None: forwards only. */
  readonly rule: UpdateRule | undefined;
  /** Without a rule: whether the outputs are written down, and not what they cost. */
  readonly tells?: boolean | undefined;
  readonly kernels: Kernels;
}

interface Flowing {
  readonly tensor: ArenaTensor;
  /** Already taken back through the unit's tail. */
  readonly through: boolean;
}

const ELEMENTWISE_SIZE = 64;

export class Build {
  readonly units: Units;
  readonly rows: number;
  readonly rule: UpdateRule | undefined;
  readonly kernels: Kernels;
  readonly list: Kernel[] = [];
  readonly #data: BuildOptions['data'];
  readonly #outputs = new Map<Source, Outputs>();
  readonly #flowing = new Map<Source, Flowing>();
  readonly #unheard: number[];
  readonly #kept = new Map<string, ArenaTensor>();

  constructor({ units, rows, data, rule, kernels }: BuildOptions) {
    this.units = units;
    this.rows = rows;
    this.rule = rule;
    this.kernels = kernels;
    this.#data = data;
    this.#unheard = [...units.readers];
  }

  get training(): boolean {
    return this.rule !== undefined;
  }

  add(...kernels: readonly Kernel[]): void {
    this.list.push(...kernels);
  }

  tensor(label: string, size: number): ArenaTensor {
    return new Tensor(label, size);
  }

  /** A tensor that the forward pass leaves for the way back. */
  kept(label: string, size: number): ArenaTensor {
    const tensor = this.#kept.get(label) ?? new Tensor(label, size);
    this.#kept.set(label, tensor);
    return tensor;
  }

  outputsOf(unit: Unit): Outputs {
    const known = this.#outputs.get(unit.index);
    if (known) return known;
    const size = this.rows * unit.size;
    const keepsBefore = this.training && unit.activation === 'gelu';
    const outputs: Outputs = {
      output: new Tensor(`output ${unit.index}`, size),
      before: keepsBefore ? new Tensor(`before ${unit.index}`, size) : undefined,
    };
    this.#outputs.set(unit.index, outputs);
    return outputs;
  }

  reader(source: Source): Reader {
    const unit = this.units.units[source];
    if (!unit) return dataReader(this.#data.kind, this.#data.stride);
    return tensorReader(this.outputsOf(unit).output, unit.size);
  }

  /** The arena tensors that a unit's tail touches. */
  tailTensors(unit: Unit): ArenaTensor[] {
    const { output, before } = this.outputsOf(unit);
    return [output, ...(before ? [before] : []), ...(unit.plus === undefined ? [] : this.reader(unit.plus).tensors)];
  }

  tail(width: Width, unit: Unit, lanes?: string): string {
    const plus = unit.plus === undefined ? undefined : this.reader(unit.plus);
    return tail(width, unit, this.outputsOf(unit), plus, this.training, lanes);
  }

  learn(width: Width, lanes?: string): string {
    if (!this.rule) throw new RangeError('a program without an update learns nothing');
    return learn(width, this.rule, this.units.placed.layout, lanes);
  }

  /** A kernel with one invocation for each `i` below `count`. */
  elementwise(
    label: string,
    count: number,
    tensors: readonly ArenaTensor[],
    code: () => { declarations?: string; body: string },
  ): Kernel {
    return {
      label,
      workgroups: Math.ceil(count / ELEMENTWISE_SIZE),
      workgroupSize: ELEMENTWISE_SIZE,
      tensors,
      code: () => {
        const { declarations = '', body } = code();
        return { declarations, body: `let i = id;\nif (i >= ${count}u) { return; }\n${body}` };
      },
    };
  }

  /** Whether anybody wants to know the gradient of a source's values. */
  wantsGradient(source: Source): boolean {
    return this.training && this.units.units[source]?.needsGradient === true;
  }

  /** Adds the kernel that gives a reader's share of the gradient of `source`, if it is wanted. */
  flow(source: Source, kernel: (tail: GradientTail) => Kernel): void {
    const unit = this.units.units[source];
    if (!unit || !this.wantsGradient(source)) return;
    const before = this.#flowing.get(source);
    const last = this.#hear(source);
    const through = last && unit.plus === undefined && !isPlain(unit);
    const to = new Tensor(`gradient ${source}`, this.rows * unit.size);
    this.add(kernel({ to, addend: before?.tensor, through: through ? { unit, ...this.outputsOf(unit) } : undefined }));
    this.#flowing.set(source, { tensor: to, through });
  }

  /** As `flow`, when the share is a tensor that is there already. */
  flowAsIs(source: Source, share: ArenaTensor): void {
    if (!this.wantsGradient(source)) return;
    if (this.#flowing.has(source)) {
      this.flow(source, (tail) => this.#sum('sum of gradients', share, tail));
      return;
    }
    this.#hear(source);
    this.#flowing.set(source, { tensor: share, through: false });
  }

  /** The gradient of what a unit's own layer gave, before its tail; none when nothing depends on it. */
  arrived(unit: Unit): ArenaTensor | undefined {
    const flowing = this.#flowing.get(unit.index);
    if (!flowing) return undefined;
    if (unit.plus !== undefined) this.flowAsIs(unit.plus, flowing.tensor);
    if (flowing.through || isPlain(unit)) return flowing.tensor;
    const to = new Tensor(`gradient ${unit.index} before`, this.rows * unit.size);
    const through = { unit, ...this.outputsOf(unit) };
    this.add(this.#sum('gradient of a tail', flowing.tensor, { to, addend: undefined, through }));
    return to;
  }

  #sum(label: string, share: ArenaTensor, tail: GradientTail): Kernel {
    return this.elementwise(label, share.size, [share, ...gradientTensors(tail)], () => ({
      declarations: gradientTail(1, tail),
      body: `finish(i, arena[${share.offset}u + i]);`,
    }));
  }

  #hear(source: Source): boolean {
    const left = (this.#unheard[source] ?? 0) - 1;
    this.#unheard[source] = left;
    return left === 0;
  }
}
