/** What all kernels share: one bind group with every buffer, the control words, and how the step number moves on. */
import type { Tensor } from './arena.ts';

/**
 * Words of the control buffer. `step` and the corrections of Adam stand there twice: the first dispatch of a step reads
 * `step` and writes `next`, all later ones read `next`, and the last one copies it back. So the number moves on without
 * the processor, and no invocation reads a word that another one of its dispatch writes.
 */
export const CONTROL = {
  step: 0,
  /** 1 − β₁ᵗ and 1 − β₂ᵗ (float32), t counted from 1. */
  correction1: 1,
  correction2: 2,
  next: 3,
  nextCorrection1: 4,
  nextCorrection2: 5,
  /** The step whose rows begin the order buffer, or whose outputs are the first that are written down. */
  orderFrom: 6,
  /** Figures are summed from this step on. */
  countFrom: 7,
  dropoutSeed: 8,
  /** Rows of the data set. */
  count: 9,
  /** float32 from here. */
  inputScale: 10,
  rate: 11,
  momentum: 12,
  decay: 13,
  proximal: 14,
  maxNorm: 15,
  gradientScale: 16,
  /** 1 as soon as a loss was not finite. */
  broken: 17,
  /** Losses of each place of a batch, then as many hits. */
  figures: 32,
} as const;

export const ADAM_BETA1 = 0.9;
export const ADAM_BETA2 = 0.999;

/** How rows lie in the data buffer: four to a word, or float32, or tokens. */
export type DataKind = 'bytes' | 'floats' | 'integers';

export const BINDINGS = ['params', 'grads', 'state', 'arena', 'data', 'labels', 'order', 'control'] as const;
export type Binding = (typeof BINDINGS)[number];

export const READ_ONLY: ReadonlySet<Binding> = new Set(['data', 'labels', 'order']);
const WORDS: ReadonlySet<Binding> = new Set(['data', 'labels', 'order', 'control']);

export interface Kernel {
  readonly label: string;
  readonly workgroups: number;
  readonly workgroupSize: number;
  /** What of the arena it touches. */
  readonly tensors: readonly Tensor[];
  /** WGSL, once the tensors have their places. */
  readonly code: () => KernelCode;
}

export interface KernelCode {
  readonly declarations?: string;
  /** Statements; `id` counts invocations, `group` workgroups, `local` the invocations of one. */
  readonly body: string;
}

/** Where in a step a kernel stands. */
export type Role = 'first' | 'middle' | 'last';

const MAX_DIMENSION = 65_535;

/** Workgroups in x and y. */
export function gridOf(workgroups: number): readonly [number, number] {
  if (workgroups <= MAX_DIMENSION) return [workgroups, 1];
  const rows = Math.ceil(workgroups / MAX_DIMENSION);
  return [Math.ceil(workgroups / rows), rows];
}

/**
 * A whole shader. `batchAt`, where the batch begins in the order of rows, is kept in a variable, because no compiler knows
 * that the control words stay as they are. Same kernel, same role and data: same text, so that pipelines can be found by it.
 */
export function shader(kernel: Kernel, role: Role, data: DataKind, rows: number, training: boolean): string {
  const { declarations = '', body } = kernel.code();
  const own = `${declarations}\n${body}`;
  const [columns] = gridOf(kernel.workgroups);
  const bindings = BINDINGS.map((name, i) => {
    const access = READ_ONLY.has(name) ? 'read' : 'read_write';
    return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${WORDS.has(name) ? 'u32' : 'f32'}>;`;
  });
  return `${bindings.join('\n')}
fn stepNumber() -> u32 { ${role === 'first' ? `return control[${CONTROL.step}];` : `return control[${CONTROL.next}] - 1u;`} }
fn setting(i: u32) -> f32 { return bitcast<f32>(control[i]); }
var<private> batchAt: u32;
var<private> inputScale: f32;
${own.includes('example(') ? example(training) : ''}
${HELPERS.filter(({ name }) => own.includes(`${name}(`))
  .map(({ code }) => code)
  .join('\n')}
${own.includes('d1(') || own.includes('d4(') || own.includes('token(') ? dataReaders(data) : ''}
${declarations}
@compute @workgroup_size(${kernel.workgroupSize})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group = workgroup.y * ${columns}u + workgroup.x;
  let id = group * ${kernel.workgroupSize}u + local;
  batchAt = (stepNumber()${training ? ` - control[${CONTROL.orderFrom}]` : ''}) * ${rows}u;
  inputScale = setting(${CONTROL.inputScale});
  ${ROLES[role]}
  ${body}
}`;
}

const ROLES: Readonly<Record<Role, string>> = {
  first: `if (id == 0u) {
    control[${CONTROL.next}] = control[${CONTROL.step}] + 1u;
    control[${CONTROL.nextCorrection1}] = bitcast<u32>(setting(${CONTROL.correction1}) * ${ADAM_BETA1} + ${1 - ADAM_BETA1});
    control[${CONTROL.nextCorrection2}] = bitcast<u32>(setting(${CONTROL.correction2}) * ${ADAM_BETA2} + ${1 - ADAM_BETA2});
  }`,
  middle: '',
  last: `if (id == 0u) {
    control[${CONTROL.step}] = control[${CONTROL.next}];
    control[${CONTROL.correction1}] = control[${CONTROL.nextCorrection1}];
    control[${CONTROL.correction2}] = control[${CONTROL.nextCorrection2}];
  }`,
};

/** Which row of the data set stands at a place of the batch. Past the end of the data: its last row, which is not counted. */
function example(training: boolean): string {
  const row = training ? 'order[batchAt + place]' : `min(batchAt + place, control[${CONTROL.count}] - 1u)`;
  return `fn example(place: u32) -> u32 { return ${row}; }`;
}

const four = (name: string, from: string): { name: string; code: string } => ({
  name,
  code: `fn ${name}(i: u32) -> vec4<f32> { return vec4<f32>(${from}[i], ${from}[i + 1u], ${from}[i + 2u], ${from}[i + 3u]); }`,
});

const HELPERS: readonly { readonly name: string; readonly code: string }[] = [
  four('x4', 'arena'),
  four('p4', 'params'),
  { name: 'x1', code: 'fn x1(i: u32) -> f32 { return arena[i]; }' },
  {
    // The words of core/dropout.ts.
    name: 'mixWord',
    code: `fn mixWord(word: u32) -> u32 {
  var x = (word ^ (word >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}`,
  },
  four('s4', 'state'),
  four('g4', 'grads'),
];

function dataReaders(kind: DataKind): string {
  switch (kind) {
    case 'bytes':
      return `fn token(i: u32) -> u32 { return (data[i >> 2u] >> ((i & 3u) * 8u)) & 255u; }
fn d1(i: u32) -> f32 { return f32(token(i)) * inputScale; }
fn d4(i: u32) -> vec4<f32> {
  let word = data[i >> 2u];
  return vec4<f32>(vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(255u)) * inputScale;
}`;
    case 'floats':
      return `fn token(i: u32) -> u32 { return u32(bitcast<f32>(data[i])); }
fn d1(i: u32) -> f32 { return bitcast<f32>(data[i]) * inputScale; }
fn d4(i: u32) -> vec4<f32> { return vec4<f32>(d1(i), d1(i + 1u), d1(i + 2u), d1(i + 3u)); }`;
    case 'integers':
      return `fn token(i: u32) -> u32 { return data[i]; }
fn d1(i: u32) -> f32 { return f32(i32(data[i])) * inputScale; }
fn d4(i: u32) -> vec4<f32> { return vec4<f32>(d1(i), d1(i + 1u), d1(i + 2u), d1(i + 3u)); }`;
    default:
      return kind satisfies never;
  }
}

/** Values that one row takes in the data buffer: rows of bytes begin at whole words. */
export function rowStride(kind: DataKind, width: number): number {
  return kind === 'bytes' ? 4 * Math.ceil(width / 4) : width;
}
