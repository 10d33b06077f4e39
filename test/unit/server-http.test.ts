/** What the server sends over HTTP, with which headers, and what it refuses. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../../tools/server.ts';
import type { RunningServer } from '../../tools/server.ts';

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-server-'));
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'dist/index.html': '<!doctype html><title>hushgrad</title>',
    'dist/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'dist/assets/main-abc123.js': `export const text = "${'quiet '.repeat(1000)}";`,
    'dist/assets/kernels-abc123.wasm': new Uint8Array([0, 0x61, 0x73, 0x6d]),
    'plans/b.json': '{"schema":1}',
    'plans/a.json': '{}',
    'plans/notes.txt': 'not a plan',
    'data/digits.gz': gzipSync('digits'),
    'secret.txt': 'outside',
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  server = await startServer({ port: 0, root: folder, dataDir: join(folder, 'data') });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, server.url), { headers });
}

/** Sends the path as it is: fetch would tidy it up. */
function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the server', () => {
  test('says where it is, on this machine alone', () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    expect(server.port).toBeGreaterThan(0);
  });

  test.each(['/', '/assets/main-abc123.js', '/plans/index.json', '/data/digits.gz', '/signal/', '/nothing'])(
    'isolates and locks down %s',
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('permissions-policy')).toContain('camera=()');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('access-control-allow-origin')).toBeNull();
      const policy = headers.get('content-security-policy')?.split('; ');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy).toContain("connect-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy?.join()).not.toMatch(/unsafe-inline|unsafe-eval'?;|\*|https?:/);
    },
  );

  test('sends the application fresh, and its hashed parts once and compressed', async () => {
    const page = await get('/');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const script = await get('/assets/main-abc123.js', { 'accept-encoding': 'gzip' });
    expect(script.headers.get('content-type')).toContain('javascript');
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(await script.text()).toContain('quiet quiet');
    const wasm = await get('/assets/kernels-abc123.wasm');
    expect(wasm.headers.get('content-type')).toBe('application/wasm');
    expect((await get('/icon.svg')).headers.get('content-type')).toContain('image/svg+xml');
  });

  test('sends data sets as the gzip files that they are', async () => {
    const response = await get('/data/digits.gz', { 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-type')).toBe('application/gzip');
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(gzipSync('digits')));
  });

  test('lists the plans, and sends each', async () => {
    expect(await (await get('/plans/index.json')).json()).toEqual([
      { name: 'a.json', sizeBytes: 2 },
      { name: 'b.json', sizeBytes: 12 },
    ]);
    const plan = await get('/plans/b.json');
    expect(plan.headers.get('content-type')).toContain('application/json');
    expect(await plan.text()).toBe('{"schema":1}');
  });

  test.each(['/nothing', '/assets/none.js', '/assets', '/data/', '/plans/none.json', '/run/abc', '/.git/config'])(
    'has no %s',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toContain('text/plain');
      expect(await response.text()).toBe('Not found\n');
    },
  );

  test('lives through paths that are none', async () => {
    for (const path of [
      '/%',
      '/%00',
      '/data/%2e%2e/secret.txt',
      '/plans/../../secret.txt',
      '/data/..%2fsecret.txt',
      '*',
    ]) {
      expect([400, 403, 404]).toContain(await statusOf(path));
    }
    expect((await get('/')).status).toBe(200);
  });

  test('names the port that is taken, and says what to do', async () => {
    const again = startServer({ port: server.port, root: folder, dataDir: folder });
    await expect(again).rejects.toMatchObject({
      code: 'server/port-taken',
      message: expect.stringContaining(String(server.port)) as string,
      advice: expect.stringContaining('--port 0') as string,
    });
  });
});
