/** The programs of one network: compiled when they are first needed, and kept. */
import { sizeOf } from '../../core/layerShapes.ts';
import type { Device } from './device.ts';
import { Kernels } from './kernels.ts';
import { compileStep } from './program.ts';
import type { StepProgram } from './program.ts';
import type { Ready } from './run.ts';
import type { Units } from './units.ts';
import type { UpdateRule } from './update.ts';
import { rowStride } from './wgsl.ts';
import type { DataKind } from './wgsl.ts';

export interface ProgramShape {
  readonly rows: number;
  /** None: forwards only. */
  readonly rule: UpdateRule | undefined;
  readonly kind: DataKind;
}

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
  readonly #prepared = new Map<string, Promise<Prepared>>();
  readonly #evaluationRows = new Map<DataKind, number>();

  constructor(device: Device, units: Units) {
    this.#device = device;
    this.#units = units;
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

  forEvaluation(kind: DataKind): Promise<Prepared> {
    const fits = (rows: number): boolean =>
      this.#compile({ rows, rule: undefined, kind }, new Kernels(new Map())).arena <= EVALUATION_VALUES;
    const rows = this.#evaluationRows.get(kind) ?? EVALUATION_ROWS.find(fits) ?? 1;
    this.#evaluationRows.set(kind, rows);
    return this.of({ rows, rule: undefined, kind });
  }

  async #prepare(shape: ProgramShape): Promise<Prepared> {
    const program = this.#compile(shape, new Kernels(new Map()));
    const pipelines = await this.#device.pipelines(program.dispatches.map(({ code }) => code));
    return { program, ready: { dispatches: program.dispatches, pipelines, cadence: 1 } };
  }

  #compile({ rows, rule, kind }: ProgramShape, kernels: Kernels): StepProgram {
    const stride = rowStride(kind, sizeOf(this.#units.placed.input));
    return compileStep({ units: this.#units, rows, data: { kind, stride }, rule, kernels });
  }
}
