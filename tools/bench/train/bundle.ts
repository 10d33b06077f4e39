/** The bench as one file for Node, with tfjs and its WebAssembly inside. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import type { Plugin } from 'vite';
import { HushError } from '../../../src/core/errors.ts';
import { ROOT } from '../../command.ts';

/** CommonJS: Node takes that in any folder, whatever its package.json says. */
export async function bundleForNode(path: string): Promise<void> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    plugins: [wasmInside()],
    build: {
      write: false,
      ssr: join(ROOT, 'tools', 'bench', 'train', 'node.ts'),
      target: 'node20',
      minify: true,
      rolldownOptions: { output: { format: 'cjs', codeSplitting: false } },
    },
  });
  const outputs = Array.isArray(built) ? built.flatMap(({ output }) => output) : 'output' in built ? built.output : [];
  const [chunk, ...rest] = outputs.filter((output) => output.type === 'chunk');
  if (chunk === undefined || rest.length > 0) {
    throw new HushError('bench/bundle', `The bench became ${rest.length + (chunk ? 1 : 0)} files, expected one.`);
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, chunk.code);
}

/** Emscripten reads WebAssembly from a file in Node: the bundle writes it into the temporary folder, once. */
function wasmInside(): Plugin {
  return {
    name: 'wasm-inside',
    enforce: 'pre',
    async load(id) {
      const [path = '', query] = id.split('?');
      if (query !== 'url' || !path.endsWith('.wasm')) return undefined;
      const bytes = await readFile(path);
      const name = `hushgrad-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.wasm`;
      return `
        import { existsSync, renameSync, writeFileSync } from 'node:fs';
        import { tmpdir } from 'node:os';
        import { join } from 'node:path';
        const path = join(tmpdir(), ${JSON.stringify(name)});
        if (!existsSync(path)) {
          const written = path + '.' + process.pid;
          writeFileSync(written, Buffer.from(${JSON.stringify(bytes.toString('base64'))}, 'base64'));
          renameSync(written, path);
        }
        export default path;`;
    },
  };
}
