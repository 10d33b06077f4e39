/** Depthwise convolutions: each channel with filters of its own. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { backThroughSums, overColumnBlocks } from './columns.ts';
import { advance, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import { backThroughRepetition, repeatLayer } from './repetition.ts';
import type { Built, Machine, Tensor, Weights } from './machine.ts';
import { activate } from './pointwise.ts';
import { backFromBorder, bordered, slidingOver, zeroShare } from './window.ts';
import type { Bordered, Sliding } from './window.ts';

type Depthwise = Extract<Layer, { readonly kind: 'depthwiseConv2d' }>;

/** Columns whose sums stay in registers while a tap passes over all images. */
const BLOCK_COLUMNS = 16;

/** Several filters for a channel: as one filter each for copies of the channel, since weights lie in that order. */
export function depthwiseLayer(
  machine: Machine,
  layer: Depthwise,
  placed: PlacedLayer,
  source: Tensor,
  weights: Weights,
): Built {
  const copies = layer.depthMultiplier;
  if (copies === 1) return plainDepthwise(machine, layer, placed, source, weights);
  const [height = 1, width = 1, channels = 1] = placed.input;
  const repeated = repeatLayer(machine, source, copies);
  const inner = { ...placed, input: [height, width, channels * copies] };
  const built = plainDepthwise(machine, layer, inner, repeated, weights);
  const backward = (): void => {
    built.backward();
    if (source.learns) backThroughRepetition(machine, source, repeated, copies);
  };
  return { output: built.output, backward };
}

function plainDepthwise(
  machine: Machine,
  layer: Depthwise,
  placed: PlacedLayer,
  source: Tensor,
  { weight, gradient: weightGradient }: Weights,
): Built {
  const s = slidingOver(placed, layer.kernelSize, layer.strides, layer.padding);
  const { activation } = layer;
  const { channels } = s;
  const [kernel, bias] = placed.blocks;
  const kernelAt = 4 * (kernel?.offset ?? 0);
  const input = bordered(machine, s, source, ['forward', 'evaluation'], { border: 0, gradient: source.learns });
  const output = machine.tensor(s.outHeight * s.outWidth * channels, true);
  const before = activation === 'gelu' ? machine.perExample(output.size) : output.value;
  machine.kernel(['forward', 'evaluation'], (f) => {
    const sum = f.local('v128');
    const weightAt = f.local('i32');
    overPixels(machine, f, s, input, input.value, before, output.size, (from, to) => {
      const biasAt = weight + 4 * (bias?.offset ?? 0) - (weight + kernelAt);
      return code(
        weightAt.set(int.of(weight + kernelAt)),
        overFloats(f, channels, [from, to, weightAt], (lanes) =>
          code(
            sum.set(bias ? lanes.load(int.plus(weightAt.get, biasAt)) : vec.of(0)),
            ...tapsOf(s, input.pitch).map(({ bytes, index }) => {
              const product = vec.multiply(lanes.load(from.get, bytes), lanes.load(weightAt.get, 4 * index * channels));
              return sum.set(vec.add(sum.get, product));
            }),
            lanes.store(to.get, activation === 'relu' ? vec.maximum(sum.get, vec.of(0)) : sum.get),
          ),
        ),
        advance(from, 4 * (s.strides[1] - 1) * channels),
      );
    });
  });
  if (activation !== 'relu' && activation !== 'linear') {
    activate(machine, ['forward', 'evaluation'], output.size, activation, before, output.value);
  }
  const backward = (): void => {
    const biasGradient = bias ? { bias: weightGradient + 4 * bias.offset } : {};
    backThroughSums(machine, { tensor: output, before, activation, columns: channels, ...biasGradient });
    filterGradient(machine, s, input, output, weightGradient + kernelAt);
    if (!source.learns) return;
    const adds = input.isSource && machine.addsTo(source);
    machine.kernel(['backward'], (f) => {
      if (!adds) zeroShare(machine, f, input.gradient, input.size);
      const weightAt = f.local('i32');
      const g = f.local('v128');
      overPixels(machine, f, s, input, input.gradient, output.gradient, output.size, (from, to) =>
        code(
          weightAt.set(int.of(weight + kernelAt)),
          overFloats(f, channels, [from, to, weightAt], (lanes) =>
            code(
              g.set(lanes.load(to.get)),
              ...tapsOf(s, input.pitch).map(({ bytes, index }) => {
                const back = vec.multiply(g.get, lanes.load(weightAt.get, 4 * index * channels));
                return lanes.store(from.get, vec.add(lanes.load(from.get, bytes), back), bytes);
              }),
            ),
          ),
          advance(from, 4 * (s.strides[1] - 1) * channels),
        ),
      );
    });
    backFromBorder(machine, s, source, input);
  };
  return { output, backward };
}

/** Bytes from a window's first value to each value under it, with the number of the tap. */
function tapsOf(s: Sliding, pitch: number): { readonly bytes: number; readonly index: number }[] {
  const [height, width] = s.window;
  return Array.from({ length: height * width }, (_, index) => ({
    bytes: 4 * (Math.floor(index / width) * pitch + (index % width) * s.channels),
    index,
  }));
}

/** Every pixel of the output of this thread's images. The body moves both pointers one pixel on. */
function overPixels(
  machine: Machine,
  f: FunctionBuilder,
  s: Sliding,
  input: Bordered,
  inputAt: number,
  outputAt: number,
  outputSize: number,
  body: (from: Local, to: Local) => Code,
): void {
  const { from: first, to: end } = machine.share(f, machine.rows);
  const [image, row, from, to] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const [images, rows, columns] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local];
  f.append(
    image.set(int.plus(int.times(first.get, 4 * input.size), inputAt)),
    to.set(int.plus(int.times(first.get, 4 * outputSize), outputAt)),
    times(
      images,
      int.subtract(end.get, first.get),
      row.set(image.get),
      times(
        rows,
        int.of(s.outHeight),
        code(from.set(row.get), times(columns, int.of(s.outWidth), body(from, to))),
        advance(row, 4 * s.strides[0] * input.pitch),
      ),
      advance(image, 4 * input.size),
    ),
  );
}

/** Tap by tap: the sum over all pixels of value times gradient, for a block of channels at a time. */
function filterGradient(machine: Machine, s: Sliding, input: Bordered, output: Tensor, target: number): void {
  const { channels } = s;
  machine.kernel(['backward'], (f) => {
    const [image, row, from, g] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
    const [images, rows, columns] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local];
    overColumnBlocks(machine, f, channels, BLOCK_COLUMNS, (block, at) => {
      const sums = block.map(() => f.local('v128'));
      const oneTap = ({ bytes, index }: { readonly bytes: number; readonly index: number }): Code => {
        const updates = block.map(({ lanes, offset }, i) => {
          const sum = sums[i]?.get ?? [];
          const product = vec.multiply(lanes.load(from.get, offset), lanes.load(g.get, offset));
          return sums[i]?.set(vec.add(sum, product)) ?? [];
        });
        const pixel = code(...updates, advance(from, 4 * s.strides[1] * channels), advance(g, 4 * channels));
        return code(
          ...sums.map((sum) => sum.set(vec.of(0))),
          image.set(int.plus(at.get, input.value + bytes)),
          g.set(int.plus(at.get, output.gradient)),
          times(
            images,
            machine.rows,
            row.set(image.get),
            times(
              rows,
              int.of(s.outHeight),
              code(from.set(row.get), times(columns, int.of(s.outWidth), pixel)),
              advance(row, 4 * s.strides[0] * input.pitch),
            ),
            advance(image, 4 * input.size),
          ),
          ...block.map(({ lanes, offset }, i) =>
            lanes.store(int.plus(at.get, target), sums[i]?.get ?? [], 4 * index * channels + offset),
          ),
        );
      };
      return code(...tapsOf(s, input.pitch).map(oneTap));
    });
  });
}
