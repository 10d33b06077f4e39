/** The programs of one network: compiled when they are first needed, and kept. */
import { sizeOf } from '../../core/layerShapes.ts';
import type { Device } from './device.ts';
import { Kernels } from './kernels.ts';
import type { Variant } from './kernels.ts';
import { compileStep } from './program.ts';
import type { StepProgram } from './program.ts';
import type { Ready } from './run.ts';
import { chosenVariant, tune } from './tuning.ts';
import type { Units } from './units.ts';
import type { UpdateRule } from './update.ts';
import { rowStride } from './wgsl.ts';
import type { DataKind } from './wgsl.ts';

export interface ProgramShape {
  readonly rows: number;
  /** None: forwards only. */
  readonly rule: UpdateRule | undefined;
  readonly kind: DataKind;
  /** Without a rule: see `BuildOptions`. */
  readonly tells?: boolean | undefined;
}

/** Kernels that are timed before they are chosen, or one kind for all products. */
export type KernelChoice = 'timed' | Variant;

export interface Prepared {
  readonly program: StepProgram;
  readonly ready: Ready;
}

/** Rows that are measured at once, fewer where their values would take more than this. */
const EVALUATION_ROWS = [256, 64, 16, 4, 1];
const EVALUATION_VALUES = 2 ** 23;

export class Programs {
  readonly #device: Device;
  readonly #units: Units;
  readonly #choice: KernelChoice;
  readonly #prepared = new Map<string, Promise<Prepared>>();
  readonly #evaluationRows = new Map<DataKind, number>();

  constructor(device: Device, units: Units, choice: KernelChoice) {
    this.#device = device;
    this.#units = units;
    this.#choice = choice;
  }

  of(shape: ProgramShape): Promise<Prepared> {
    const key = JSON.stringify(shape);
    const known = this.#prepared.get(key);
    if (known) return known;
    const prepared = this.#prepare(shape);
    this.#prepared.set(key, prepared);
    prepared.catch(() => this.#prepared.delete(key));
    return prepared;
  }

  /** `tells`: see `BuildOptions`. */
  forEvaluation(kind: DataKind, tells?: boolean): Promise<Prepared> {
    const fits = (rows: number): boolean =>
      this.#compile({ rows, rule: undefined, kind }, this.#kernels()).arena <= EVALUATION_VALUES;
    const rows = this.#evaluationRows.get(kind) ?? EVALUATION_ROWS.find(fits) ?? 1;
    this.#evaluationRows.set(kind, rows);
    return this.of({ rows, rule: undefined, kind, tells });
  }

  async #prepare(shape: ProgramShape): Promise<Prepared> {
    // Before anything is compiled: an address beyond the limits may not even fit a word.
    this.#device.checkSize('the arena', 4 * this.#compile(shape, this.#kernels()).arena);
    if (shape.rule) await this.#tune(shape);
    const program = this.#compile(shape, this.#kernels());
    const pipelines = await this.#device.pipelines(program.dispatches.map(({ code }) => code));
    const { dispatches } = program;
    return { program, ready: { dispatches, pipelines, cadence: dispatches.length } };
  }

  #kernels(): Kernels {
    const choice = this.#choice;
    return new Kernels((product) => (choice === 'timed' ? chosenVariant(this.#device, product) : choice));
  }

  async #tune(shape: ProgramShape): Promise<void> {
    if (this.#choice !== 'timed') return;
    const kernels = this.#kernels();
    const { arena } = this.#compile(shape, kernels);
    const { input, layout } = this.#units.placed;
    const products = [...kernels.products.values()];
    const stride = rowStride(shape.kind, sizeOf(input));
    const { rows, kind } = shape;
    await tune(this.#device, { products, arena, parameters: layout.length, rows, stride, kind });
  }

  #compile({ rows, rule, kind, tells }: ProgramShape, kernels: Kernels): StepProgram {
    const stride = rowStride(kind, sizeOf(this.#units.placed.input));
    return compileStep({ units: this.#units, rows, data: { kind, stride }, rule, tells, kernels });
  }
}
