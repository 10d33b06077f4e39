/** What a visitor loads for the compiled WebGPU engine. */
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, it } from 'vitest';

const MOST_BYTES = 30_000;

it('the compiled WebGPU engine has at most 30 kB, compressed', { timeout: 60_000 }, async () => {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: 'src/engine/webgpu/engine.ts', preserveEntrySignatures: 'strict' },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) => ('output' in each ? each.output : []));
  const code = outputs.map((file) => (file.type === 'chunk' ? file.code : '')).join('');
  expect(code.length).toBeGreaterThan(MOST_BYTES);
  expect(code).not.toContain('tensorflow');
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(MOST_BYTES);
});
