/** The training bench in a real browser, and bundled for Node: that it measures, not how fast anything is. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBenchPage } from '../../tools/bench/train/browser.ts';
import type { BenchBrowser } from '../../tools/bench/train/browser.ts';
import { bundleForNode } from '../../tools/bench/train/bundle.ts';
import { rowsOf } from '../../tools/bench/train/report.ts';
import type { Row } from '../../tools/bench/train/report.ts';

const BRIEF = { batch: 4, seconds: 0.05, rounds: 2, heapLimitMs: 3000 } as const;

describe('the bench in a browser', () => {
  let browser: BenchBrowser;
  beforeAll(async () => {
    browser = await openBenchPage({ gpu: false });
  });
  afterAll(() => browser.close());

  it('measures each engine, and stock tfjs beside it', async () => {
    const engines = ['compiled-wasm', 'stock-wasm', 'stock-webgpu'] as const;
    const rows = rowsOf(await browser.call('measure', { model: 'mlp', engines, ...BRIEF }));
    expect(rows.map(({ engine, reason }) => [engine, reason])).toEqual(engines.map((engine) => [engine, null]));
    for (const { samplesPerSecond, turns, firstStepMs, memoryMB } of rows) {
      expect(samplesPerSecond!.median).toBeGreaterThan(0);
      expect(turns).toBe(2);
      expect(firstStepMs).toBeGreaterThan(0);
      expect(memoryMB).not.toBeNull();
    }
    const [compiled, wasm, webgpu] = rows;
    expect(compiled!.ratioToStock).toBeGreaterThan(0);
    expect(compiled!.memoryMB!.wasm).toBeGreaterThan(0);
    expect(wasm!.memoryMB!.gpuPeak).toBe(0);
    expect(webgpu!.memoryMB!.gpuPeak).toBeGreaterThan((4 * 101_770) / 1e6);
    // Of two dense layers and plain descent on tfjs 4.22, counted by hand once.
    expect(webgpu!.dispatchesPerStep).toBe(42);
    expect(webgpu!.javascriptMsPerStep).toBeGreaterThan(0);
  });

  it('says which kernel stock tfjs lacks', async () => {
    const [result] = await browser.call('measure', { model: 'lenet', engines: ['stock-wasm'], ...BRIEF });
    expect(result!.reason).toBe('throws: Conv2DBackpropFilter');
  });
});

describe('the bench as one file for Node', () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hushgrad-bench-'));
    file = join(folder, 'bench.cjs');
    await bundleForNode(file);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const node = async (...args: string[]): Promise<{ stdout: string; stderr: string }> => {
    const { DAWN: _, ...env } = process.env;
    return await promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, env });
  };

  it('measures where there is nothing else', async () => {
    const line = '--models mlp --engines compiled-wasm,stock-wasm --batch 4 --seconds 0.05 --rounds 2 --json';
    const { stdout } = await node(...line.split(' '));
    const { where, rows } = JSON.parse(stdout) as { where: string; rows: readonly Row[] };
    expect(where).toBe('node');
    expect(rows.map(({ engine, reason }) => [engine, reason])).toEqual([
      ['compiled-wasm', null],
      ['stock-wasm', null],
    ]);
    expect(rows[0]!.ratioToStock).toBeGreaterThan(0);
    expect(rows[0]!.memoryMB!.heap).toBeGreaterThan(0);
  });

  it('asks for a WebGPU implementation where an engine needs one', async () => {
    await expect(node('--models', 'mlp')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^"--dawn" is not given, expected the path of dawn.node/) as string,
    });
    await expect(node('--dawn', 'none.node')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^"--dawn" is "none.node", which cannot be loaded: Cannot find module .*\n$/,
      ) as string,
    });
  });
});
