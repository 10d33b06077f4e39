/** One step of a network as a list of shaders over one arena: known without any device. */
import type { Tensor } from './arena.ts';
import { planArena } from './arena.ts';
import * as attention from './attention.ts';
import { Build } from './build.ts';
import type { BuildOptions } from './build.ts';
import * as embedding from './embedding.ts';
import { figureWords, isFusedWithLoss, loss } from './losses.ts';
import { outputs } from './outputs.ts';
import { batchNormBackward, batchNormForward, layerNormBackward, layerNormForward } from './norms.ts';
import type { Unit } from './units.ts';
import { clippedUpdate } from './update.ts';
import * as weighted from './weighted.ts';
import * as windows from './windows.ts';
import { CONTROL, gridOf, shader } from './wgsl.ts';
import type { Role } from './wgsl.ts';

export interface Dispatch {
  readonly label: string;
  /** The whole shader; its entry point is `main`. */
  readonly code: string;
  readonly grid: readonly [number, number];
}

export interface StepProgram {
  readonly dispatches: readonly Dispatch[];
  /** Values that the arena must hold. */
  readonly arena: number;
  /** Words that the control buffer must hold. */
  readonly control: number;
  readonly rows: number;
}

/** Layers forwards, and what they give is told or weighed; layers backwards, and the gradients with them; then, if the gradient is clipped, the update by itself. */
export function compileStep(options: BuildOptions): StepProgram {
  const build = new Build(options);
  const { units, placed } = options.units;
  for (const unit of units) if (options.tells || !isFusedWithLoss(build, unit)) forward(build, unit);
  if (options.tells) outputs(build);
  else loss(build);
  if (options.rule) {
    for (const unit of units.toReversed()) {
      if (!unit.needsGradient) continue;
      const gradient = build.arrived(unit);
      if (gradient) backward(build, unit, gradient);
    }
    if (options.rule.clipped) build.add(...clippedUpdate(options.rule, placed.layout));
  }
  const arena = planArena(build.list);
  const last = build.list.length - 1;
  const roleOf = (i: number): Role => (i === 0 ? 'first' : i === last ? 'last' : 'middle');
  const dispatches = build.list.map((kernel, i) => ({
    label: kernel.label,
    code: shader(kernel, roleOf(i), options.data.kind, options.rows, build.training),
    grid: gridOf(kernel.workgroups),
  }));
  return { dispatches, arena, control: CONTROL.figures + figureWords(build), rows: options.rows };
}

function forward(build: Build, unit: Unit): void {
  const { kind } = unit.layer.layer;
  switch (kind) {
    case 'dense':
    case 'conv2d':
      return weighted.forward(build, unit);
    case 'depthwiseConv2d':
    case 'maxPool2d':
    case 'averagePool2d':
      return windows.forward(build, unit);
    case 'batchNorm':
      return batchNormForward(build, unit);
    case 'layerNorm':
      return layerNormForward(build, unit);
    case 'embedding':
      return embedding.forward(build, unit);
    case 'attention':
      return attention.forward(build, unit);
    case 'activation':
    case 'dropout':
    case 'add':
      return copy(build, unit);
    case 'flatten':
    case 'lstm':
    case 'keras':
      throw new RangeError(`${kind} is no unit`);
    default:
      return kind satisfies never;
  }
}

function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const { kind } = unit.layer.layer;
  switch (kind) {
    case 'dense':
    case 'conv2d':
      return weighted.backward(build, unit, gradient);
    case 'depthwiseConv2d':
    case 'maxPool2d':
    case 'averagePool2d':
      return windows.backward(build, unit, gradient);
    case 'batchNorm':
      return batchNormBackward(build, unit, gradient);
    case 'layerNorm':
      return layerNormBackward(build, unit, gradient);
    case 'embedding':
      return embedding.backward(build, unit, gradient);
    case 'attention':
      return attention.backward(build, unit, gradient);
    case 'activation':
    case 'dropout':
    case 'add':
      return build.flowAsIs(unit.input, gradient);
    case 'flatten':
    case 'lstm':
    case 'keras':
      throw new RangeError(`${kind} is no unit`);
    default:
      return kind satisfies never;
  }
}

/** A unit whose tail is all that it does. */
function copy(build: Build, unit: Unit): void {
  const reader = build.reader(unit.input);
  const tensors = [...reader.tensors, ...build.tailTensors(unit)];
  build.add(
    build.elementwise(`${unit.layer.layer.kind} ${unit.index}`, build.rows * unit.size, tensors, () => ({
      declarations: build.tail(1, unit),
      body: `finish(i, ${reader.one(`${reader.base(`i / ${unit.size}u`)} + i % ${unit.size}u`)});`,
    })),
  );
}
