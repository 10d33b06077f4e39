/** A gradient for plain JavaScript in place of tfjs's own, which asks for every value by its five indices. */
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { backend_util, registerKernel, unregisterKernel, util } from '@tensorflow/tfjs-core';
import type { Conv2DBackpropFilterAttrs, KernelConfig, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';

const BACKEND = 'cpu';
const KERNEL = 'Conv2DBackpropFilter';

export function registerCpuKernels(): void {
  unregisterKernel(KERNEL, BACKEND);
  registerKernel(FILTER_GRADIENT);
}

/** Images as [rows, height, width, channels] alone. */
const FILTER_GRADIENT: KernelConfig = {
  kernelName: KERNEL,
  backendName: BACKEND,
  kernelFunc: ({ inputs, backend, attrs }) => {
    const cpu = backend as MathBackendCPU;
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as Conv2DBackpropFilterAttrs;
    const shape = x.shape as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
    const values = ({ dataId }: TensorInfo): TypedArray => cpu.data.get(dataId).values as TypedArray;
    return cpu.makeTensorInfo([...filterShape], 'float32', filterGradient(info, values(x), values(dy)));
  },
};

/** Summed in float64, rounded once. */
function filterGradient(info: backend_util.Conv2DInfo, x: TypedArray, dy: TypedArray): Float32Array {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } = info;
  const sums = new Float64Array(util.sizeFromShape(info.filterShape));
  const places = info.batchSize * outHeight * outWidth;
  for (let place = 0; place < places; place++) {
    const column = place % outWidth;
    const line = Math.floor(place / outWidth) % outHeight;
    const row = Math.floor(place / (outWidth * outHeight));
    for (let i = 0; i < filterHeight; i++) {
      const from = line * info.strideHeight - info.padInfo.top + i;
      if (from < 0 || from >= inHeight) continue;
      for (let j = 0; j < filterWidth; j++) {
        const at = column * info.strideWidth - info.padInfo.left + j;
        if (at < 0 || at >= inWidth) continue;
        const pixel = ((row * inHeight + from) * inWidth + at) * inChannels;
        const tap = (i * filterWidth + j) * inChannels;
        for (let c = 0; c < inChannels; c++) {
          const value = x[pixel + c] ?? 0;
          const sum = (tap + c) * outChannels;
          for (let k = 0; k < outChannels; k++)
            sums[sum + k] = (sums[sum + k] ?? 0) + value * (dy[place * outChannels + k] ?? 0);
        }
      }
    }
  }
  return Float32Array.from(sums);
}
