/** Sums over many values for each of a few outputs: always in the same order, so that a run can be repeated. */
import type { Tensor } from './arena.ts';
import type { Kernel } from './wgsl.ts';

/** Outputs that a workgroup works on side by side, so that its invocations read values beside each other. */
const LANES = 16;
const FEW_SLICES = 4;
const MANY_SLICES = 16;
const LONG = 1024;

export interface Reduction {
  readonly label: string;
  readonly outputs: number;
  readonly length: number;
  /** How many sums each output has. */
  readonly sums: number;
  readonly tensors: readonly Tensor[];
  readonly code: () => {
    readonly declarations?: string;
    /** Once for each output `o`. */
    readonly before?: string;
    /** Adds to `s0`, `s1`, … what place `r` gives. */
    readonly add: string;
    /** Once for each output, with the sums complete. */
    readonly finish: string;
  };
}

export function reduction({ label, outputs, length, sums, tensors, code }: Reduction): Kernel {
  const slices = length >= LONG ? MANY_SLICES : FEW_SLICES;
  const numbers = Array.from({ length: sums }, (_, i) => i);
  const size = LANES * slices;
  return {
    label,
    workgroups: Math.ceil(outputs / LANES),
    workgroupSize: size,
    tensors,
    code: () => {
      const { declarations = '', before = '', add, finish } = code();
      return {
        declarations: `var<workgroup> shares: array<f32, ${size * sums}>;\n${declarations}`,
        body: `let slice = local / ${LANES}u;
let o = group * ${LANES}u + local % ${LANES}u;
${numbers.map((i) => `var s${i} = 0.0;`).join(' ')}
if (o < ${outputs}u) {
  ${before}
  for (var r = slice; r < ${length}u; r += ${slices}u) { ${add} }
}
${numbers.map((i) => `shares[${i * size}u + local] = s${i};`).join(' ')}
workgroupBarrier();
if (slice == 0u && o < ${outputs}u) {
  for (var i = local + ${LANES}u; i < ${size}u; i += ${LANES}u) { ${numbers.map((i) => `s${i} += shares[${i * size}u + i];`).join(' ')} }
  ${finish}
}`,
      };
    },
  };
}
