/** How kernels read the values of a unit, what they do to them before they store them, and the same backwards. */
import { dropoutLimit } from '../../core/dropout.ts';
import type { Activation } from '../../core/network.ts';
import type { Tensor } from './arena.ts';
import type { Unit } from './units.ts';
import { CONTROL } from './wgsl.ts';
import type { DataKind } from './wgsl.ts';

/** Values that a statement handles at once. */
export type Width = 1 | 4;

export const typeOf = (width: Width): string => (width === 1 ? 'f32' : 'vec4<f32>');

const LOADS = { arena: 'x4', params: 'p4', state: 's4', grads: 'g4' } as const;

export function load(width: Width, buffer: keyof typeof LOADS, index: string): string {
  return width === 1 ? `${buffer}[${index}]` : `${LOADS[buffer]}(${index})`;
}

/** `lanes`: an expression that says how many of the four there are, when not all. */
export function store(width: Width, buffer: string, index: string, value: string, lanes?: string): string {
  if (width === 1) return `${buffer}[${index}] = ${value};`;
  return [0, 1, 2, 3]
    .map(
      (lane) =>
        `${lanes && lane > 0 ? `if (${lanes} > ${lane}u) ` : ''}{ ${buffer}[${index} + ${lane}u] = ${value}[${lane}]; }`,
    )
    .join(' ');
}

/** Reads a source example by example: the arena, or the data set through the order of the batch. */
export interface Reader {
  /** Address of the first value of an example, by its place in the batch. */
  base(place: string): string;
  one(address: string): string;
  /** Four values beside each other. `aligned`: the distance from the base is always a multiple of four. */
  four(address: string, aligned: boolean): string;
  readonly tensors: readonly Tensor[];
}

export function tensorReader(tensor: Tensor, size: number): Reader {
  return {
    base: (place) => `${tensor.offset}u + (${place}) * ${size}u`,
    one: (address) => `arena[${address}]`,
    four: (address) => `x4(${address})`,
    tensors: [tensor],
  };
}

export function dataReader(kind: DataKind, stride: number): Reader {
  return {
    base: (place) => `example(${place}) * ${stride}u`,
    one: (address) => `d1(${address})`,
    four: (address, aligned) =>
      kind !== 'bytes' || aligned
        ? `d4(${address})`
        : `vec4<f32>(${[0, 1, 2, 3].map((lane) => `d1(${address} + ${lane}u)`).join(', ')})`,
    tensors: [],
  };
}

/** Where a unit's values go. */
export interface Outputs {
  readonly output: Tensor;
  /** What the activation was given, where its derivative needs that. */
  readonly before: Tensor | undefined;
}

/** WGSL `fn finish(i, value)`: the unit's tail, then stored at `i` of the batch's output. */
export function tail(
  width: Width,
  unit: Unit,
  to: Outputs,
  plus: Reader | undefined,
  training: boolean,
  lanes?: string,
): string {
  const type = typeOf(width);
  const steps = [
    to.before ? store(width, 'arena', `${to.before.offset}u + i`, 'v', lanes) : '',
    unit.activation === 'linear' ? '' : `v = ${activated(unit.activation, 'v', width)};`,
    training && unit.dropout ? `v *= kept(i);` : '',
    plus ? `v += ${plusAt(width, plus, unit.size)};` : '',
    store(width, 'arena', `${to.output.offset}u + i`, 'v', lanes),
  ];
  return `${training && unit.dropout ? kept(width, unit.dropout) : ''}
fn finish(i: u32, value: ${type}${lanes ? `, ${lanes}: u32` : ''}) { var v = value; ${steps.filter(Boolean).join('\n')} }`;
}

function plusAt(width: Width, plus: Reader, size: number): string {
  if (plus.tensors.length > 0) {
    const address = `${plus.base('0u')} + i`;
    return width === 1 ? plus.one(address) : plus.four(address, false);
  }
  // Rows of the data set do not lie beside each other.
  const at = (lane: number): string =>
    plus.one(`${plus.base(`(i + ${lane}u) / ${size}u`)} + (i + ${lane}u) % ${size}u`);
  return width === 1 ? at(0) : `vec4<f32>(${[0, 1, 2, 3].map(at).join(', ')})`;
}

export interface GradientTail {
  /** The gradient goes here. */
  readonly to: Tensor;
  /** Added first: what other readers of the same values have given. */
  readonly addend: Tensor | undefined;
  /** Takes the gradient back through the tail of the unit that gave the values; none: the gradient of its output. */
  readonly through: (Outputs & { readonly unit: Unit }) | undefined;
}

/** WGSL `fn finish(i, value)`: stores a gradient at `i` of the values that it belongs to. */
export function gradientTail(width: Width, { to, addend, through }: GradientTail, lanes?: string): string {
  const type = typeOf(width);
  const steps = [addend ? `v += ${load(width, 'arena', `${addend.offset}u + i`)};` : ''];
  if (through) {
    const { unit, output, before } = through;
    const scale = unit.dropout ? 1 / (1 - unit.dropout.rate) : 1;
    // Before the dropout scaled it; what was dropped is masked anyway.
    const y = `${load(width, 'arena', `${output.offset}u + i`)}${unit.dropout ? ` * ${literal(1 / scale)}` : ''}`;
    if (unit.dropout) steps.push('v *= kept(i);');
    if (unit.activation === 'gelu') steps.push(`v *= ${geluSlope(before, width)};`);
    else if (unit.activation !== 'linear') steps.push(`let y = ${y};`, `v *= ${slope(unit.activation, width)};`);
  }
  steps.push(store(width, 'arena', `${to.offset}u + i`, 'v', lanes));
  return `${through?.unit.dropout ? kept(width, through.unit.dropout) : ''}
${through?.unit.activation === 'gelu' ? GELU_SLOPE_OF : ''}
fn finish(i: u32, value: ${type}${lanes ? `, ${lanes}: u32` : ''}) { var v = value; ${steps.filter(Boolean).join('\n')} }`;
}

export function gradientTensors({ to, addend, through }: GradientTail): Tensor[] {
  const behind = through ? [through.output, through.before] : [];
  return [to, addend, ...behind].filter((tensor) => tensor !== undefined);
}

/** The factor that core/dropout.ts gives for the value at `i` of the batch's output. */
function kept(width: Width, { layer, rate }: { readonly layer: number; readonly rate: number }): string {
  const key = `mixWord(mixWord(control[${CONTROL.dropoutSeed}] + stepNumber()) + ${layer}u)`;
  const at = (lane: number): string =>
    `select(${literal(1 / (1 - rate))}, 0.0, mixWord(key + (i + ${lane}u) * 0x9e3779b9u) < ${dropoutLimit(rate)}u)`;
  const factors = width === 1 ? at(0) : `vec4<f32>(${[0, 1, 2, 3].map(at).join(', ')})`;
  return `fn kept(i: u32) -> ${typeOf(width)} { let key = ${key}; return ${factors}; }`;
}

/** √(2/π) of the approximation by tanh (Hendrycks and Gimpel 2016, section 2). */
const GELU = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

function activated(activation: Activation, v: string, width: Width): string {
  switch (activation) {
    case 'linear':
      return v;
    case 'relu':
      // Not max, which may make 0 of what is no number, and hide that training diverged.
      return `select(${v}, ${typeOf(width)}(), ${v} < ${typeOf(width)}())`;
    case 'tanh':
      return hyperbolic(v, width);
    case 'sigmoid':
      return `1.0 / (1.0 + exp(-${v}))`;
    case 'gelu':
      return `0.5 * ${v} * (1.0 + ${hyperbolic(`${literal(GELU)} * (${v} + ${literal(GELU_CUBIC)} * ${v} * ${v} * ${v})`, width)})`;
    default:
      return activation satisfies never;
  }
}

/** WGSL's own tanh may overflow where it has long been 1. */
function hyperbolic(v: string, width: Width): string {
  const bound = (sign: string): string => `${typeOf(width)}(${sign}15.0)`;
  return `tanh(clamp(${v}, ${bound('-')}, ${bound('')}))`;
}

/** The derivative, from what the activation gave. */
function slope(activation: Exclude<Activation, 'linear' | 'gelu'>, width: Width): string {
  switch (activation) {
    case 'relu':
      return `select(${typeOf(width)}(), ${typeOf(width)}(1.0), y > ${typeOf(width)}())`;
    case 'tanh':
      return '(1.0 - y * y)';
    case 'sigmoid':
      return 'y * (1.0 - y)';
    default:
      return activation satisfies never;
  }
}

const GELU_SLOPE_OF = `fn geluSlope(x: f32) -> f32 {
  let t = tanh(clamp(${literal(GELU)} * (x + ${literal(GELU_CUBIC)} * x * x * x), -15.0, 15.0));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * ${literal(GELU)} * (1.0 + ${literal(3 * GELU_CUBIC)} * x * x);
}`;

function geluSlope(before: Tensor | undefined, width: Width): string {
  const at = (lane: number): string => `geluSlope(arena[${before?.offset ?? 0}u + i + ${lane}u])`;
  return width === 1 ? at(0) : `vec4<f32>(${[0, 1, 2, 3].map(at).join(', ')})`;
}

/** A number as WGSL writes float32. */
export function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}
