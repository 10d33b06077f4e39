/**
 * Gradients of the tfjs operations that layers are made of. tfjs has them all in one import, which Node cannot load from
 * its packages and a visitor would load for nothing; these are what `layers.ts` and `sequences.ts` use.
 */
import {
  broadcast_util,
  cast,
  clone,
  concat,
  div,
  engine,
  getGradient,
  matMul,
  mul,
  neg,
  registerGradient,
  reshape,
  slice,
  square,
  stack,
  step,
  sub,
  sum,
  tile,
  transpose,
  unsortedSegmentSum,
  unstack,
} from '@tensorflow/tfjs-core';
import type { GradConfig, NamedAttrMap, Tensor, Tensor1D } from '@tensorflow/tfjs-core';

/** Of an operation with one input and one output: `saved` is its input, or its output where `from` says so. */
function unary(
  kernelName: string,
  from: 'input' | 'output',
  gradient: (dy: Tensor, saved: Tensor) => Tensor,
): GradConfig {
  return {
    kernelName,
    ...(from === 'input' ? { inputsToSave: ['x'] } : { outputsToSave: [true] }),
    gradFunc: (dy, saved) => ({ x: () => gradient(dy as Tensor, saved[0] as Tensor) }),
  };
}

/** Of an operation on two inputs, each repeated along the axes that it lacks. */
function binary(
  kernelName: string,
  gradientA: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
  gradientB: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
): GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      return {
        a: () => summedTo(a.shape, gradientA(dy as Tensor, a, b)),
        b: () => summedTo(b.shape, gradientB(dy as Tensor, a, b)),
      };
    },
  };
}

function summedTo(shape: number[], gradient: Tensor): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, gradient.shape);
  return reshape(axes.length > 0 ? sum(gradient, axes) : gradient, shape);
}

function run(kernel: string, inputs: Readonly<Record<string, Tensor>>, attributes: object): Tensor {
  return engine().runKernel(kernel, inputs, attributes as NamedAttrMap);
}

/** A single part comes without its list. */
function listOf(parts: Tensor | Tensor[]): Tensor[] {
  return Array.isArray(parts) ? parts : [parts];
}

const CONVOLUTIONS: readonly GradConfig[] = ['Conv2D', 'DepthwiseConv2dNative'].map((kernelName) => ({
  kernelName,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attributes) => {
    const [x, filter] = saved as [Tensor, Tensor];
    return {
      x: () => run(`${kernelName}BackpropInput`, { dy: dy as Tensor, filter }, { ...attributes, inputShape: x.shape }),
      filter: () =>
        run(`${kernelName}BackpropFilter`, { x, dy: dy as Tensor }, { ...attributes, filterShape: filter.shape }),
    };
  },
}));

const PRODUCT: GradConfig = {
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc: (gradient, saved, attributes) => {
    const [dy, a, b] = [gradient, ...saved] as [Tensor, Tensor, Tensor];
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean };
    return {
      a: () => (transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB)),
      b: () => (transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false)),
    };
  },
};

const SHAPES: readonly GradConfig[] = [
  unary('Reshape', 'input', (dy, x) => reshape(dy, x.shape)),
  unary('Identity', 'input', (dy) => clone(dy)),
  // Only ever to or from float32.
  unary('Cast', 'input', (dy) => cast(dy, 'float32')),
  {
    kernelName: 'Transpose',
    gradFunc: (dy, _, attributes) => {
      const { perm } = attributes as { perm: number[] };
      const back = perm.map((_, axis) => perm.indexOf(axis));
      return { x: () => transpose(dy as Tensor, back) };
    },
  },
  {
    kernelName: 'PadV2',
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => {
      const { paddings } = attributes as { paddings: [number, number][] };
      const begin = paddings.map(([before]) => before);
      return { x: () => slice(dy as Tensor, begin, (saved[0] as Tensor).shape) };
    },
  },
  {
    kernelName: 'SplitV',
    gradFunc: (dy, _, attributes) => ({ x: () => concat(listOf(dy), (attributes as { axis: number }).axis) }),
  },
  {
    kernelName: 'Unpack',
    gradFunc: (dy, _, attributes) => ({ value: () => stack(listOf(dy), (attributes as { axis: number }).axis) }),
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const parts = unstack(dy as Tensor, (attributes as { axis: number }).axis);
      return Object.fromEntries(saved.map((_, i) => [i, () => parts[i] as Tensor]));
    },
  },
  {
    // Along the first axis, as embeddings look up.
    kernelName: 'GatherV2',
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, saved) => {
      const [x, indices] = saved as [Tensor, Tensor];
      const flat = reshape(dy as Tensor, [indices.size, ...x.shape.slice(1)]);
      const places = reshape(indices, [indices.size]) as Tensor1D;
      return { x: () => unsortedSegmentSum(flat, places, x.shape[0] ?? 0), indices: () => indices };
    },
  },
];

const REDUCTIONS: readonly GradConfig[] = [
  {
    kernelName: 'Mean',
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => {
      const x = saved[0] as Tensor;
      const { axis } = attributes as { axis: number | number[] };
      const axes = [axis].flat().map((axis) => (axis + x.rank) % x.rank);
      const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
      const share = (dy as Tensor).size / x.size;
      const times = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
      return { x: () => tile(mul(reshape(dy as Tensor, kept), share), times) };
    },
  },
  {
    // Along the last axis.
    kernelName: 'Softmax',
    outputsToSave: [true],
    gradFunc: (dy, saved) => {
      const y = saved[0] as Tensor;
      const weighted = mul(dy as Tensor, y);
      return { logits: () => sub(weighted, mul(sum(weighted, [-1], true), y)) };
    },
  },
  {
    kernelName: 'MaxPool',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => {
      const [input, output] = saved as [Tensor, Tensor];
      return { x: () => run('MaxPoolGrad', { dy: dy as Tensor, input, output }, attributes) };
    },
  },
  {
    kernelName: 'AvgPool',
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => ({
      x: () => run('AvgPoolGrad', { dy: dy as Tensor, input: saved[0] as Tensor }, attributes),
    }),
  },
];

const ELEMENTWISE: readonly GradConfig[] = [
  binary(
    'Add',
    (dy) => dy,
    (dy) => dy,
  ),
  binary(
    'Sub',
    (dy) => dy,
    (dy) => neg(dy),
  ),
  binary(
    'Multiply',
    (dy, _, b) => mul(dy, b),
    (dy, a) => mul(dy, a),
  ),
  binary(
    'RealDiv',
    (dy, _, b) => div(dy, b),
    (dy, a, b) => neg(div(mul(dy, a), square(b))),
  ),
  unary('Square', 'input', (dy, x) => mul(mul(dy, x), 2)),
  unary('Sqrt', 'output', (dy, y) => div(mul(dy, 0.5), y)),
  unary('Relu', 'input', (dy, x) => mul(dy, step(x))),
  unary('Tanh', 'output', (dy, y) => mul(dy, sub(1, square(y)))),
  unary('Sigmoid', 'output', (dy, y) => mul(dy, mul(y, sub(1, y)))),
];

/** Leaves those that tfjs itself has registered. */
export function registerGradients(): void {
  for (const config of [PRODUCT, ...CONVOLUTIONS, ...SHAPES, ...REDUCTIONS, ...ELEMENTWISE]) {
    if (!getGradient(config.kernelName)) registerGradient(config);
  }
}
