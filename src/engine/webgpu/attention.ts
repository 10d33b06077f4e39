/** Causal attention: one invocation for each query of each head, and on the way back one for each key as well. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import type { Unit } from './units.ts';
import { gradientTail, gradientTensors, literal } from './values.ts';
import type { GradientTail } from './values.ts';
import type { Kernel } from './wgsl.ts';

/** Vectors of four that are kept in registers; a longer head is read again. */
const MAX_KEPT = 16;

interface Heads {
  readonly heads: number;
  /** Values of one head. */
  readonly size: number;
  readonly length: number;
  readonly width: number;
  readonly count: number;
  /** Values that are read at once, and how many such reads a head takes. */
  readonly step: 1 | 4;
  readonly reads: number;
}

function headsOf(build: Build, unit: Unit): Heads {
  const { layer, output } = unit.layer;
  const heads = layer.kind === 'attention' ? layer.heads : 1;
  const [length = 1, width = 1] = output;
  const size = width / heads;
  const step = size % 4 === 0 ? 4 : 1;
  return { heads, size, length, width, count: build.rows * heads * length, step, reads: size / step };
}

/** The invocation's row, head and place in the sequence; `weights` is where its row of the attention weights begins. */
function place({ heads, length, width, size }: Heads, weights: Tensor): string {
  return `let at = i % ${length}u;
let head = i / ${length}u % ${heads}u;
let sequence = i / ${length * heads}u;
let weights = ${weights.offset}u + i * ${length}u;
let inputs = sequence * ${length * 3 * width}u + head * ${size}u;
let outputs = sequence * ${length * width}u + head * ${size}u;`;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const read = ({ step }: Heads, address: string): string => (step === 4 ? `x4(${address})` : `arena[${address}]`);

/** `name`0, `name`1, …: a head's values at an address, kept if they fit. */
function keep(heads: Heads, name: string, address: string): string {
  if (heads.reads > MAX_KEPT) return `let ${name} = ${address};`;
  return range(heads.reads)
    .map((d) => `let ${name}${d} = ${read(heads, `${address} + ${d * heads.step}u`)};`)
    .join('\n');
}

/** Declares `result`: the product of what was kept with the values at an address. */
function dotted(heads: Heads, name: string, address: string, result: string): string {
  const product = (a: string, b: string): string => (heads.step === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`);
  if (heads.reads > MAX_KEPT) {
    return `var ${result} = 0.0;
for (var d = 0u; d < ${heads.size}u; d += ${heads.step}u) { ${result} += ${product(read(heads, `${name} + d`), read(heads, `${address} + d`))}; }`;
  }
  const terms = range(heads.reads).map((d) => product(`${name}${d}`, read(heads, `${address} + ${d * heads.step}u`)));
  return `let ${result} = ${terms.join(' + ')};`;
}

interface Weighted {
  readonly loop: string;
  /** The factor of one turn of the loop, and the address of the values that it weighs. */
  readonly factor: string;
  readonly address: string;
  /** Takes `value` to an address. */
  readonly store: (lane: string, value: string) => string;
}

/** Σ factor · values over a loop, for as many values at a time as fit into registers. */
function weightedSums(heads: Heads, sums: readonly Weighted[]): string {
  const { step, reads } = heads;
  const zero = step === 4 ? 'vec4<f32>()' : '0.0';
  const loop = sums[0]?.loop ?? '';
  const chunks: string[] = [];
  for (let from = 0; from < reads; from += MAX_KEPT) {
    const own = range(Math.min(MAX_KEPT, reads - from)).map((d) => from + d);
    const each = (text: (sum: Weighted, s: number, d: number) => string): string =>
      sums.flatMap((sum, s) => own.map((d) => text(sum, s, d))).join('\n');
    chunks.push(`{ ${each((_, s, d) => `var u${s}_${d} = ${zero};`)}
${loop} {
  ${sums.map(({ factor }, s) => `let f${s} = ${factor};`).join(' ')}
  ${each(({ address }, s, d) => `u${s}_${d} += f${s} * ${read(heads, `${address} + ${d * step}u`)};`)}
}
${each(({ store }, s, d) =>
  range(step)
    .map((lane) => store(`${d * step + lane}u`, step === 4 ? `u${s}_${d}[${lane}]` : `u${s}_${d}`))
    .join(' '),
)} }`);
  }
  return chunks.join('\n');
}

const weightsOf = (build: Build, unit: Unit, { count, length }: Heads): Tensor =>
  build.kept(`weights of ${unit.index}`, count * length);

export function forward(build: Build, unit: Unit): void {
  const heads = headsOf(build, unit);
  const { width, size } = heads;
  const reader = build.reader(unit.input);
  const weights = weightsOf(build, unit, heads);
  const row = `inputs + j * ${3 * width}u`;
  build.add(
    build.elementwise(
      `attention ${unit.index}`,
      heads.count,
      [...reader.tensors, weights, ...build.tailTensors(unit)],
      () => {
        const base = reader.base('0u');
        return {
          declarations: build.tail(1, unit),
          body: `${place(heads, weights)}
${keep(heads, 'q', `${base} + inputs + at * ${3 * width}u`)}
var top = -3.4e38;
for (var j = 0u; j <= at; j++) {
  ${dotted(heads, 'q', `${base} + ${width}u + ${row}`, 'product')}
  let score = product * ${literal(1 / Math.sqrt(size))};
  top = max(top, score);
  arena[weights + j] = score;
}
var total = 0.0;
for (var j = 0u; j <= at; j++) { let e = exp(arena[weights + j] - top); total += e; arena[weights + j] = e; }
for (var j = 0u; j <= at; j++) { arena[weights + j] /= total; }
${weightedSums(heads, [
  {
    loop: 'for (var j = 0u; j <= at; j++)',
    factor: 'arena[weights + j]',
    address: `${base} + ${2 * width}u + ${row}`,
    store: (lane, value) => `finish(outputs + at * ${width}u + ${lane}, ${value});`,
  },
])}`,
        };
      },
    ),
  );
}

export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  build.flow(unit.input, (tail) => {
    const heads = headsOf(build, unit);
    const scores = build.tensor(`scores of ${unit.index}`, heads.count * heads.length);
    build.add(queryGradient(build, unit, heads, gradient, scores, tail));
    return keyGradient(build, unit, heads, gradient, scores, tail);
  });
}

/** Of the queries, and of the scores for the keys. */
function queryGradient(
  build: Build,
  unit: Unit,
  heads: Heads,
  gradient: Tensor,
  scores: Tensor,
  tail: GradientTail,
): Kernel {
  const { width, size, length } = heads;
  const reader = build.reader(unit.input);
  const weights = weightsOf(build, unit, heads);
  const tensors = [...reader.tensors, weights, gradient, scores, ...gradientTensors(tail)];
  return build.elementwise(`attention ${unit.index} queries`, heads.count, tensors, () => {
    const base = reader.base('0u');
    return {
      declarations: gradientTail(1, tail),
      body: `${place(heads, weights)}
let scores = ${scores.offset}u + i * ${length}u;
${keep(heads, 'g', `${gradient.offset}u + outputs + at * ${width}u`)}
var mean = 0.0;
for (var j = 0u; j <= at; j++) {
  ${dotted(heads, 'g', `${base} + ${2 * width}u + inputs + j * ${3 * width}u`, 'product')}
  mean += arena[weights + j] * product;
  arena[scores + j] = product;
}
for (var j = 0u; j <= at; j++) {
  arena[scores + j] = arena[weights + j] * (arena[scores + j] - mean) * ${literal(1 / Math.sqrt(size))};
}
${weightedSums(heads, [
  {
    loop: 'for (var j = 0u; j <= at; j++)',
    factor: 'arena[scores + j]',
    address: `${base} + ${width}u + inputs + j * ${3 * width}u`,
    store: (lane, value) => `finish(inputs + at * ${3 * width}u + ${lane}, ${value});`,
  },
])}`,
    };
  });
}

/** Of the keys and values: from every query that may look at them. */
function keyGradient(
  build: Build,
  unit: Unit,
  heads: Heads,
  gradient: Tensor,
  scores: Tensor,
  tail: GradientTail,
): Kernel {
  const { width, length } = heads;
  const reader = build.reader(unit.input);
  const weights = weightsOf(build, unit, heads);
  const tensors = [...reader.tensors, weights, gradient, scores, ...gradientTensors(tail)];
  return build.elementwise(`attention ${unit.index} keys`, heads.count, tensors, () => ({
    declarations: gradientTail(1, tail),
    body: `${place(heads, weights)}
let column = (i - at) * ${length}u + at;
${weightedSums(heads, [
  {
    loop: `for (var j = at; j < ${length}u; j++)`,
    factor: `arena[${scores.offset}u + column + j * ${length}u]`,
    address: `${reader.base('0u')} + inputs + j * ${3 * width}u`,
    store: (lane, value) => `finish(inputs + at * ${3 * width}u + ${width}u + ${lane}, ${value});`,
  },
  {
    loop: '',
    factor: `arena[${weights.offset}u + column + j * ${length}u]`,
    address: `${gradient.offset}u + outputs + j * ${width}u`,
    store: (lane, value) => `finish(inputs + at * ${3 * width}u + ${2 * width}u + ${lane}, ${value});`,
  },
])}`,
  }));
}
