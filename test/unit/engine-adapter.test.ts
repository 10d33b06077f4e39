import { describe, expect, it } from 'vitest';
import { adapterName, isSoftware, rendererOf } from '../../src/engine/graphicsAdapter.ts';

describe('a graphics adapter', () => {
  it.each([
    'SwiftShader Device (LLVM 10.0.0), google, swiftshader',
    'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)',
    'llvmpipe, or similar',
    'ANGLE (Microsoft, Microsoft Basic Render Driver (0x0000008C) Direct3D11 vs_5_0 ps_5_0, D3D11)',
  ])('is one in software: %s', (name) => {
    expect(isSoftware(name)).toBe(true);
  });

  it.each([
    'nvidia, hopper',
    'ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)',
    'ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)',
    'Radeon R9 200 Series, or similar',
    'WebGPU adapter',
    '',
  ])('is one in hardware as far as "%s" says', (name) => {
    expect(isSoftware(name)).toBe(false);
  });

  it('is named by all that WebGPU tells of it, each once', () => {
    const info = { description: '', vendor: 'google', architecture: 'swiftshader', device: 'google' };
    expect(adapterName(info as GPUAdapterInfo)).toBe('google, swiftshader');
    expect(adapterName({ ...info, vendor: '', architecture: '', device: '' } as GPUAdapterInfo)).toBe('WebGPU adapter');
  });

  it('is named by WebGL: plainly, unmasked, or not at all', () => {
    const context = (names: Record<number, string>, extension: object | null) =>
      ({
        RENDERER: 1,
        getParameter: (name: number) => names[name] ?? null,
        getExtension: () => extension,
      }) as unknown as WebGL2RenderingContext;
    expect(rendererOf(context({ 1: 'llvmpipe, or similar' }, null))).toBe('llvmpipe, or similar');
    expect(rendererOf(context({ 1: 'WebKit WebGL', 2: 'SwiftShader' }, { UNMASKED_RENDERER_WEBGL: 2 }))).toBe(
      'SwiftShader',
    );
    expect(rendererOf(context({ 1: 'WebKit WebGL' }, null))).toBe('WebKit WebGL');
    expect(rendererOf(context({}, null))).toBe('WebGL 2');
  });
});
