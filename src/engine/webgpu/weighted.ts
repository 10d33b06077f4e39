/** Dense layers and convolutions, forwards and back. */
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import { partsOf } from './kernels.ts';
import {
  convolutionForward,
  convolutionInputGradient,
  convolutionKernelGradient,
  denseForward,
  denseInputGradient,
  denseKernelGradient,
  slideOf,
} from './operands.ts';
import type { ConvolutionShape, DenseShape } from './operands.ts';
import type { ColumnProduct, RowProduct } from './product.ts';
import type { Unit } from './units.ts';
import { gradientTail, gradientTensors, store } from './values.ts';
import type { GradientTail, Reader } from './values.ts';
import type { Kernel } from './wgsl.ts';

/** What a product works on, whichever layer it is for. */
interface Products {
  readonly forward: (reader: Reader) => RowProduct;
  readonly inputGradient: (gradient: Tensor) => RowProduct;
  readonly kernelGradient: (reader: Reader, gradient: Tensor) => ColumnProduct;
  /** Offset of the bias in the parameters. */
  readonly bias: number | undefined;
  readonly kernel: number;
}

function productsOf(placed: PlacedLayer, rows: number): Products {
  const { layer, input, output, blocks } = placed;
  const kernel = blocks[0]?.offset ?? 0;
  const bias = blocks[1]?.offset;
  const channels = output.at(-1) ?? 1;
  if (layer.kind === 'conv2d') {
    const slide = slideOf(placed, layer.kernelSize, layer.strides, layer.padding);
    const shape: ConvolutionShape = { rows, slide, filters: channels, kernel };
    return {
      kernel,
      bias,
      forward: (reader) => convolutionForward(shape, reader),
      inputGradient: (gradient) => convolutionInputGradient(shape, gradient),
      kernelGradient: (reader, gradient) => convolutionKernelGradient(shape, reader, gradient, bias !== undefined),
    };
  }
  const inputs = input.at(-1) ?? 1;
  const places = input.slice(0, -1).reduce((product, size) => product * size, 1);
  const shape: DenseShape = { rows, places, inputs, units: channels, kernel };
  return {
    kernel,
    bias,
    forward: (reader) => denseForward(shape, reader),
    inputGradient: (gradient) => denseInputGradient(shape, gradient),
    kernelGradient: (reader, gradient) => denseKernelGradient(shape, reader, gradient, bias !== undefined),
  };
}

/** The last of `n` columns may have fewer than four. */
function lanesOf(n: number): { readonly name: string | undefined; readonly argument: string } {
  return n % 4 === 0 ? { name: undefined, argument: '' } : { name: 'lanes', argument: `, min(4u, ${n}u - n)` };
}

export function forward(build: Build, unit: Unit): void {
  const { bias, forward } = productsOf(unit.layer, build.rows);
  const reader = build.reader(unit.input);
  const product = forward(reader);
  const lanes = lanesOf(product.n);
  const withBias = bias === undefined ? 'value' : `value + p4(${bias}u + n)`;
  build.add(
    build.kernels.rows(product, {
      label: `${unit.layer.layer.kind} ${unit.index}`,
      tensors: [...reader.tensors, ...build.tailTensors(unit)],
      declarations: () => `${build.tail(4, unit, lanes.name)}
fn emit(m: u32, n: u32, value: vec4<f32>) { finish(m * ${product.n}u + n, ${withBias}${lanes.argument}); }`,
    }),
  );
}

export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const { kernel, bias, inputGradient, kernelGradient } = productsOf(unit.layer, build.rows);
  // Before the kernel changes.
  build.flow(unit.input, (tail) => inputKernel(build, unit, inputGradient(gradient), gradient, tail));
  const reader = build.reader(unit.input);
  const product = kernelGradient(reader, gradient);
  const parts = partsOf(product);
  const label = `${unit.layer.layer.kind} ${unit.index} kernel`;
  const lanes = lanesOf(product.n);
  const tensors = [...reader.tensors, gradient];
  if (parts === 1) {
    build.add(
      build.kernels.columns(
        product,
        {
          label,
          tensors,
          declarations: () => `${build.learn(4, lanes.name)}
fn emit(k: u32, n: u32, value: vec4<f32>) { learn(${kernel}u + k * ${product.n}u + n, value${lanes.argument}); }
${bias === undefined ? '' : `fn emitBias(n: u32, value: vec4<f32>) { learn(${bias}u + n, value${lanes.argument}); }`}`,
        },
        1,
      ),
    );
    return;
  }
  const size = (product.k + 1) * product.n;
  const sums = build.tensor(`${label} in parts`, parts * size);
  const put = (row: string): string => `let at = ${sums.offset}u + part * ${size}u + ${row} * ${product.n}u + n;
${lanes.name ? `let lanes = min(4u, ${product.n}u - n);` : ''} ${store(4, 'arena', 'at', 'value', lanes.name)}`;
  build.add(
    build.kernels.columns(
      product,
      {
        label,
        tensors: [...tensors, sums],
        declarations: () => `fn emit(k: u32, n: u32, value: vec4<f32>) { ${put('k')} }
${bias === undefined ? '' : `fn emitBias(n: u32, value: vec4<f32>) { ${put(`${product.k}u`)} }`}`,
      },
      parts,
    ),
    addedUp(build, label, sums, parts, size, { kernel, bias, split: product.k * product.n }),
  );
}

/** Adds the parts of a gradient up in order and takes the step. */
function addedUp(
  build: Build,
  label: string,
  sums: Tensor,
  parts: number,
  size: number,
  { kernel, bias, split }: { readonly kernel: number; readonly bias: number | undefined; readonly split: number },
): Kernel {
  const count = bias === undefined ? split : size;
  return build.elementwise(`${label} added up`, count, [sums], () => ({
    declarations: build.learn(1),
    body: `var sum = 0.0;
for (var part = 0u; part < ${parts}u; part++) { sum += arena[${sums.offset}u + part * ${size}u + i]; }
learn(select(${kernel}u + i, ${bias ?? 0}u + i - ${split}u, i >= ${split}u), sum);`,
  }));
}

function inputKernel(build: Build, unit: Unit, product: RowProduct, gradient: Tensor, tail: GradientTail): Kernel {
  const lanes = lanesOf(product.n);
  return build.kernels.rows(product, {
    label: `${unit.layer.layer.kind} ${unit.index} input`,
    tensors: [gradient, ...gradientTensors(tail)],
    declarations: () => `${gradientTail(4, tail, lanes.name)}
fn emit(m: u32, n: u32, value: vec4<f32>) { finish(m * ${product.n}u + n, value${lanes.argument}); }`,
  });
}
