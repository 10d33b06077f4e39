/** Largest value and mean under a window, channel by channel. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { advance, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { Built, Machine, Phase, Tensor } from './machine.ts';
import { backFromBorder, bordered, slidingOver, zeroShare } from './window.ts';
import type { Bordered, Sliding } from './window.ts';

type Pooling = Extract<Layer, { readonly kind: 'maxPool2d' | 'averagePool2d' }>;

export function poolingLayer(machine: Machine, layer: Pooling, placed: PlacedLayer, source: Tensor): Built {
  const s = slidingOver(placed, layer.poolSize, layer.strides, layer.padding);
  const isMaximum = layer.kind === 'maxPool2d';
  const phases: readonly Phase[] = ['forward', 'evaluation'];
  const border = isMaximum ? -Infinity : 0;
  const input = bordered(machine, s, source, phases, { border, gradient: source.learns });
  const output = machine.tensor(s.outHeight * s.outWidth * s.channels, source.learns);
  const shares = isMaximum ? 0 : windowShares(machine, s);
  machine.kernel(phases, (f) => {
    const best = f.local('v128');
    overWindows(machine, f, s, input, input.value, output.value, shares, (lanes, taps, from, to, share) => {
      const [first = 0, ...rest] = taps;
      const join = (tap: number): Code => {
        const value = lanes.load(from.get, tap);
        return best.set(isMaximum ? vec.maximum(best.get, value) : vec.add(best.get, value));
      };
      const result = isMaximum ? best.get : vec.multiply(best.get, share);
      return code(best.set(lanes.load(from.get, first)), ...rest.map(join), lanes.store(to.get, result));
    });
  });
  const backward = (): void => {
    if (!source.learns) return;
    const adds = input.isSource && machine.addsTo(source);
    machine.kernel(['backward'], (f) => {
      if (!adds) zeroShare(machine, f, input.gradient, input.size);
      const [g, largest] = [f.local('v128'), f.local('v128')];
      const [open, hit] = [f.local('v128'), f.local('v128')];
      const toValue = input.value - input.gradient;
      overWindows(machine, f, s, input, input.gradient, output.gradient, shares, (lanes, taps, from, to, share) => {
        const give = (tap: number, value: Code): Code =>
          lanes.store(from.get, vec.add(lanes.load(from.get, tap), value), tap);
        const loaded = lanes.load(to.get);
        if (!isMaximum) return code(g.set(vec.multiply(loaded, share)), ...taps.map((tap) => give(tap, g.get)));
        const values = lanes.load(int.plus(to.get, output.value - output.gradient));
        // The first of several largest has all of the gradient.
        const each = taps.map((tap) => {
          const value = lanes.load(int.plus(from.get, toValue), tap);
          return code(
            hit.set(vec.and(open.get, vec.equal(value, largest.get))),
            open.set(vec.andNot(open.get, hit.get)),
            give(tap, vec.and(g.get, hit.get)),
          );
        });
        return code(g.set(loaded), largest.set(values), open.set(vec.words(-1, -1, -1, -1)), ...each);
      });
    });
    backFromBorder(machine, s, source, input);
  };
  return { output, backward };
}

type Window = (lanes: Lanes, taps: readonly number[], from: Local, to: Local, share: Code) => Code;

/** Every window of this thread's images: `taps` are the bytes from its first value to each of them. */
function overWindows(
  machine: Machine,
  f: FunctionBuilder,
  s: Sliding,
  input: Bordered,
  windowsAt: number,
  outputAt: number,
  shares: number,
  body: Window,
): void {
  const { channels } = s;
  const [height, width] = s.window;
  const taps = Array.from({ length: height * width }, (_, i) => {
    const [down, across] = [Math.floor(i / width), i % width];
    return 4 * (down * input.pitch + across * channels);
  });
  const outputSize = s.outHeight * s.outWidth * channels;
  const { from: first, to: end } = machine.share(f, machine.rows);
  const [image, row, from, to] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const [images, rows, columns, at] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const share = f.local('v128');
  const pixel = code(
    shares === 0 ? [] : code(share.set(vec.loadSplat(at.get)), advance(at, 4)),
    overFloats(f, channels, [from, to], (lanes) => body(lanes, taps, from, to, share.get)),
    advance(from, 4 * (s.strides[1] - 1) * channels),
  );
  f.append(
    image.set(int.plus(int.times(first.get, 4 * input.size), windowsAt)),
    to.set(int.plus(int.times(first.get, 4 * outputSize), outputAt)),
    times(
      images,
      int.subtract(end.get, first.get),
      code(row.set(image.get), at.set(int.of(shares))),
      times(
        rows,
        int.of(s.outHeight),
        code(from.set(row.get), times(columns, int.of(s.outWidth), pixel)),
        advance(row, 4 * s.strides[0] * input.pitch),
      ),
      advance(image, 4 * input.size),
    ),
  );
}

/** One over the number of values that lie under each window, [outHeight, outWidth]. */
function windowShares(machine: Machine, s: Sliding): number {
  const under = (i: number, stride: number, before: number, window: number, size: number): number =>
    Math.min(i * stride - before + window, size) - Math.max(i * stride - before, 0);
  const values = Float32Array.from({ length: s.outHeight * s.outWidth }, (_, i) => {
    const [y, x] = [Math.floor(i / s.outWidth), i % s.outWidth];
    const rows = under(y, s.strides[0], s.above, s.window[0], s.height);
    return 1 / (rows * under(x, s.strides[1], s.leftOf, s.window[1], s.width));
  });
  const at = machine.allocate(4 * values.length);
  machine.preset(at, values);
  return at;
}
