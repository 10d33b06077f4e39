/** Three kinds of tests: in Node, in a real browser (Chromium with WebGPU), and end to end on the built application. */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { servedData } from './test/browser/setup/servedData.ts';
import { installedChromium, QUIET_ARGS, SOFTWARE_GPU_ARGS } from './tools/chromium.ts';

const executablePath = installedChromium();

/** Bundled ahead: a package that is found in the middle of a test reloads the page under it. */
const PACKAGES = [
  '@noble/ciphers/chacha.js',
  '@noble/curves/ed25519.js',
  '@noble/hashes/hkdf.js',
  '@noble/hashes/hmac.js',
  '@noble/hashes/sha2.js',
  '@preact/signals',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-backend-webgpu',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-core/dist/register_all_gradients.js',
  '@tensorflow/tfjs-layers',
  'cborg',
  'comlink',
  'fast-check',
  'fflate',
  'hyparquet',
  'idb-keyval',
  'papaparse',
  'peerjs',
  'preact',
  'preact/hooks',
  'preact/jsx-dev-runtime',
  'preact/jsx-runtime',
  'uqr',
  'valibot',
];

/** Tests whose time goes into compiling shaders. */
const SHADERS = 'test/browser/{webgpu-*,engine-contract-gpu}.test.ts';

const NODE = 'test/{unit,contract,property,attacks,simulation,types}/**/*.test.ts';
/** Tests that make all that they need anew, and change nothing of the platform that a module remembers. */
const SHARED = 'test/{attacks/*,unit/{federation,ui,update}-*}.test.ts';

function nodeTests(name: string, options: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      environment: 'node',
      // As many as there are cores: by itself it leaves one free, and takes twice as long on two.
      maxWorkers: '100%',
      testTimeout: 30_000,
      hookTimeout: 60_000,
      ...options,
    },
  };
}

/** As the server of the application sends them: without them a page has no shared memory, and so no threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  test: {
    projects: [
      // To import takes longer than most of these tests: their files share what they import.
      nodeTests('node: shared', { include: [SHARED], isolate: false, restoreMocks: true, unstubGlobals: true }),
      nodeTests('node', { include: [NODE], exclude: [SHARED] }),
      {
        plugins: [servedData()],
        optimizeDeps: { include: PACKAGES },
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        worker: { format: 'es' },
        server: { headers: ISOLATION },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.{ts,tsx}'],
          globalSetup: ['test/browser/setup/server.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath ? { executablePath } : {}),
                args: [...QUIET_ARGS, ...SOFTWARE_GPU_ARGS],
              },
            }),
            // A browser each: in one, what runs a shader without a card compiles one at a time, and a core has nothing to do.
            instances: [
              { browser: 'chromium', name: 'browser: pages and workers', exclude: [SHADERS] },
              { browser: 'chromium', name: 'browser: shaders', include: [SHADERS] },
            ],
          },
        },
      },
      {
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/e2e/**/*.test.ts'],
          // Each test has a browser and a server of its own, and looks at time.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
