/** WebGL 2 on a canvas of our own, so that a lost context is noticed. */
import { MathBackendWebGL, setWebGLContext } from '@tensorflow/tfjs-backend-webgl';
import { env } from '@tensorflow/tfjs-core';
import { HushError } from '../../core/errors.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { install } from './backend.ts';
import type { Backend } from './backend.ts';
import type { Failure } from '../failure.ts';
import { inSoftware, isSoftware, rendererOf } from '../graphicsAdapter.ts';
import { webglOperationsPerSecond } from '../webglArithmetic.ts';

/** WebAssembly does 3e10 on one core: a renderer below this is one in software. */
const MIN_OPERATIONS_PER_SECOND = 1e10;

export async function openWebgl(failure: Failure, patience: Patience): Promise<Backend> {
  if (typeof OffscreenCanvas === 'undefined') throw unavailable('webgl', 'a worker has no canvas in this browser');
  const canvas = new OffscreenCanvas(1, 1);
  // The attributes that tfjs itself asks for; the last one refuses a renderer in software, where the browser admits it.
  const gl = canvas.getContext('webgl2', {
    alpha: false,
    antialias: false,
    premultipliedAlpha: false,
    preserveDrawingBuffer: false,
    depth: false,
    stencil: false,
    failIfMajorPerformanceCaveat: true,
  });
  if (!gl) throw unavailable('webgl', 'the browser gives no WebGL 2 context that a graphics card runs');
  const name = rendererOf(gl);
  if (patience === 'impatient') {
    if (isSoftware(name)) {
      gl.getExtension('WEBGL_lose_context')?.loseContext();
      throw unavailable('webgl', inSoftware(name));
    }
    const rate = webglOperationsPerSecond();
    if (rate < MIN_OPERATIONS_PER_SECOND) {
      gl.getExtension('WEBGL_lose_context')?.loseContext();
      const billions = (rate / 1e9).toFixed(1);
      throw unavailable('webgl', `WebGL does ${billions} billion operations a second, slower than one processor core`);
    }
  }
  canvas.addEventListener('webglcontextlost', () =>
    failure.fail(
      new HushError('engine/lost', 'The browser took the graphics card away (WebGL context lost).', {
        advice: 'The round goes on without this tab; another engine is chosen for the next one.',
      }),
    ),
  );
  // Packed, sigmoid(0) = 0.5 fills the padding of odd widths, from where it leaks into products (tfjs 4.22).
  env().set('WEBGL_PACK_UNARY_OPERATIONS', false);
  setWebGLContext(2, gl);
  try {
    await install('webgl', new MathBackendWebGL());
  } catch (cause) {
    throw unavailable('webgl', cause instanceof Error ? cause.message : String(cause), cause);
  }
  return {
    name: 'webgl',
    adapter: name,
    copiesTransposed: false,
    failure,
    release: () => gl.getExtension('WEBGL_lose_context')?.loseContext(),
  };
}
