/** What a graphics adapter calls itself, and whether that is one in software. */

export function adapterName(info: GPUAdapterInfo): string {
  const parts = [info.description, info.vendor, info.architecture, info.device].filter((part) => part !== '');
  return parts.length > 0 ? [...new Set(parts)].join(', ') : 'WebGPU adapter';
}

/** Chromium's, Mesa's and Windows' own. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software rasterizer|basic render|\bwarp\b/i;

/**
 * It computes on the processor, where kernels made for that are faster; and a browser has one of them for all of its tabs,
 * which wait for one another even for a short look at how fast it is.
 */
export function isSoftware(name: string): boolean {
  return SOFTWARE.test(name);
}

/** What draws for a WebGL context. */
export function rendererOf(gl: WebGL2RenderingContext): string {
  // Firefox says so under the plain name, and warns of the extension.
  const plain: unknown = gl.getParameter(gl.RENDERER);
  const unmasked = plain === 'WebKit WebGL' ? gl.getExtension('WEBGL_debug_renderer_info') : null;
  const name: unknown = unmasked ? gl.getParameter(unmasked.UNMASKED_RENDERER_WEBGL) : plain;
  return typeof name === 'string' && name !== '' ? name : 'WebGL 2';
}

/** For a reason why an engine cannot be used. */
export function inSoftware(name: string): string {
  return `its adapter, ${name}, is a graphics card in software`;
}
