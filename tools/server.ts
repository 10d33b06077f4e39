/** One port for everything: the built application, its data sets and plans, and the signalling server. */
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import compression from 'compression';
import express from 'express';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { HushError } from '../src/core/errors.ts';
import { SIGNAL_PATH } from '../src/transport/signalKey.ts';
import { createSignallingServer } from './signalling.ts';

export interface ServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The project's folder: dist/ and plans/ in it are served. */
  readonly root: string;
  /** What is served as /data/. */
  readonly dataDir: string;
  /** 127.0.0.1 unless told otherwise. */
  readonly host?: string;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** In /plans/index.json. */
export interface PlanEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** 'self' covers ws: and wss: to the same host and port (CSP level 3, section 6.7.2.8). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** @throws HushError `server/port-taken`, `server/failed`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, root, dataDir, host = '127.0.0.1' } = options;
  const app = express();
  const server = createServer(app);
  const signalling = createSignallingServer(server);
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set(HEADERS);
    next();
  });
  app.use(SIGNAL_PATH, signalling.app);
  app.get('/plans/index.json', planIndex(join(root, 'plans')));
  app.use('/plans', express.static(join(root, 'plans'), { index: false, redirect: false }));
  // Data sets are compressed already, and decompressed in the page: they are sent as the files that they are.
  app.use('/data', express.static(dataDir, { index: false, redirect: false }));
  app.use(compression());
  app.use('/assets', express.static(join(root, 'dist', 'assets'), { immutable: true, maxAge: '1y', redirect: false }));
  app.use(express.static(join(root, 'dist'), { redirect: false, cacheControl: false, setHeaders: noCache }));
  app.use(notFound);
  app.use(badRequest);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    signalling.close();
    throw listenError(cause, port, host);
  }
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://${urlHost(host)}:${taken}/`,
    port: taken,
    async close() {
      const closed = once(server, 'close');
      signalling.close();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function planIndex(folder: string): RequestHandler {
  return (_request, response, next) => {
    void listPlans(folder).then((plans) => noCache(response).json(plans), next);
  };
}

async function listPlans(folder: string): Promise<readonly PlanEntry[]> {
  const names = await readdir(folder).catch(() => []);
  const stems = names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []));
  // Of the names alone, "digits" comes before "digits-cnn".
  const plans = stems.toSorted().map((stem) => `${stem}.json`);
  return await Promise.all(plans.map(async (name) => ({ name, sizeBytes: (await stat(join(folder, name))).size })));
}

function noCache<Response extends { setHeader(name: string, value: string): unknown }>(response: Response): Response {
  response.setHeader('Cache-Control', 'no-cache');
  return response;
}

const notFound: RequestHandler = (_request, response) => {
  response.status(404).type('text/plain').send('Not found\n');
};

/** Express recognises an error handler by its four parameters. */
const badRequest: ErrorRequestHandler = (error: { status?: unknown }, _request, response, _next) => {
  const status = typeof error.status === 'number' ? error.status : 500;
  response
    .status(status)
    .type('text/plain')
    .send(status < 500 ? 'Bad request\n' : 'Server error\n');
};

/** What a person can open: no browser goes to the address that means "every interface". */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function listenError(cause: unknown, port: number, host: string): HushError {
  const code = (cause as { code?: unknown }).code;
  if (code === 'EADDRINUSE') {
    return new HushError('server/port-taken', `Port ${port} of ${host} is taken by another program.`, {
      advice: `Stop that program, or choose another port: --port ${port + 1}, or --port 0 for any free one.`,
      cause,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HushError('server/failed', `The server could not listen on port ${port} of ${host}: ${why}`, {
    advice: 'Choose another --port (1024 to 65535) or --host.',
    cause,
  });
}
