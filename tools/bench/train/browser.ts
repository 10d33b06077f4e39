/** The bench's page in headless Chromium: built as the application is, and served with the same headers. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { build } from 'vite';
import { findChromium, QUIET_ARGS, SOFTWARE_GPU_ARGS } from '../../chromium.ts';
import { ROOT } from '../../command.ts';
import { startServer } from '../../server.ts';
import type { BenchPage } from './page.ts';

const SITE = join(ROOT, '.cache', 'bench');

/** Memory is measured when it is asked for, not at the next collection in some minutes; and a GPU where there is one. */
const ARGS = [...QUIET_ARGS, '--enable-unsafe-webgpu', '--enable-blink-features=ForceEagerMeasureMemory'];

export interface BenchBrowser {
  call<Name extends keyof BenchPage>(
    name: Name,
    order: Parameters<BenchPage[Name]>[0],
  ): Promise<Awaited<ReturnType<BenchPage[Name]>>>;
  close(): Promise<void>;
}

/** `gpu`: the machine's own graphics card, otherwise SwiftShader. */
export async function openBenchPage({ gpu }: { readonly gpu: boolean }): Promise<BenchBrowser> {
  // Of its own, so that two runs at a time do not take each other's files away.
  const site = join(SITE, String(process.pid));
  await build({
    root: join(ROOT, 'tools', 'bench', 'train'),
    configFile: join(ROOT, 'vite.config.ts'),
    logLevel: 'error',
    build: {
      outDir: join(site, 'dist'),
      emptyOutDir: true,
      rollupOptions: { input: join(ROOT, 'tools', 'bench', 'train', 'page.html') },
    },
  });
  await mkdir(join(site, 'data'), { recursive: true });
  const server = await startServer({ port: 0, root: site, dataDir: join(site, 'data') });
  const args = gpu ? ARGS : [...ARGS, ...SOFTWARE_GPU_ARGS];
  const browser = await chromium.launch({ executablePath: await findChromium(), args });
  return {
    call: async (name, order) => {
      // A page of its own: workers of an earlier one that have ended keep its memory from being measured.
      const page = await browser.newPage();
      try {
        await page.goto(`${server.url}page.html`);
        await page.waitForFunction(() => 'bench' in globalThis);
        return (await page.evaluate(
          ([name, order]) =>
            (globalThis as unknown as { bench: Record<string, (order: unknown) => unknown> }).bench[name]?.(order),
          [name as string, order as unknown] as const,
        )) as never;
      } finally {
        await page.close();
      }
    },
    close: async () => {
      await browser.close();
      await server.close();
      await rm(site, { recursive: true, force: true });
    },
  };
}
