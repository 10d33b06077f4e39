/** The PeerJS signalling server, made fit for strangers: bounded, quick to free an address, and able to stop. */
import type { IncomingMessage, Server } from 'node:http';
import type { Express } from 'express';
import { ExpressPeerServer } from 'peer';
import type { IClient } from 'peer';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';
import { SIGNAL_KEY } from '../src/transport/signalKey.ts';

/** Far above any offer; ws allows 100 MiB unless told otherwise. */
export const MAX_SIGNAL_BYTES = 64 * 1024;

/** Timers of hidden tabs fire once a minute, PeerJS's own heartbeat among them (peerjs issue 704). */
const ALIVE_TIMEOUT_MS = 180_000;
const MAX_CLIENTS = 5_000;

/** Browsers answer these from the network stack, so a socket that misses one is gone, however throttled its tab is. */
const PROBE_EVERY_MS = 20_000;

/** A coordinator answers 300 participants at once with about 1 MiB; a flood is cut off. */
const BURST_BYTES = 8 * 1024 * 1024;
const REFILL_BYTES_PER_S = 256 * 1024;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

export interface SignallingServer {
  readonly app: Express;
  close(): void;
}

/** To be mounted where PeerJS clients are told, on an express application that `server` serves. */
export function createSignallingServer(server: Server): SignallingServer {
  const timers = new StoppableTimers();
  let sockets: WebSocketServer | undefined;
  const app = ExpressPeerServer(server, {
    path: '/',
    key: SIGNAL_KEY,
    alive_timeout: ALIVE_TIMEOUT_MS,
    concurrent_limit: MAX_CLIENTS,
    allow_discovery: false,
    corsOptions: { origin: false },
    createWebSocketServer: (options) => (sockets = createSocketServer(options)),
  });
  app.disable('x-powered-by');
  // Without a listener, the first malformed message would end the process: express applications emit "error" as Node does.
  app.on('error', () => undefined);
  const known = new WeakSet<IClient>();
  app.on('connection', (client) => {
    // A client that comes back with its token takes its address over, but is not told so (peer 1.0.2, webSocketServer).
    if (known.has(client)) client.getSocket()?.send(JSON.stringify({ type: 'OPEN' }));
    known.add(client);
  });
  // Express emits "mount" when the application is used by another one: peer starts its timers then.
  const start = app.listeners('mount');
  app.removeAllListeners('mount');
  app.on('mount', (parent: unknown) => timers.run(() => start.forEach((listener) => listener.call(app, parent))));
  const probe = setInterval(() => sockets?.clients.forEach(probeSocket), PROBE_EVERY_MS);
  return {
    app,
    close() {
      clearInterval(probe);
      timers.stop();
      sockets?.clients.forEach((socket) => socket.terminate());
      sockets?.close();
    },
  };
}

function createSocketServer(options: ServerOptions): WebSocketServer {
  const sockets = new WebSocketServer({
    ...options,
    maxPayload: MAX_SIGNAL_BYTES,
    verifyClient: ({ req }: { req: IncomingMessage }) => isAcceptable(req.url ?? ''),
  });
  sockets.on('connection', (socket) => {
    socket.on('pong', () => silent.delete(socket));
    limit(socket);
  });
  return sockets;
}

function isAcceptable(url: string): boolean {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  return ID.test(query.get('id') ?? '') && ID.test(query.get('token') ?? '');
}

const silent = new WeakSet<WebSocket>();

function probeSocket(socket: WebSocket): void {
  if (silent.has(socket)) socket.terminate();
  silent.add(socket);
  socket.ping();
}

/** A token bucket over the bytes of one socket. */
function limit(socket: WebSocket): void {
  let allowance = BURST_BYTES;
  let lastMs = Date.now();
  socket.on('message', (data) => {
    const nowMs = Date.now();
    allowance = Math.min(BURST_BYTES, allowance + ((nowMs - lastMs) / 1000) * REFILL_BYTES_PER_S);
    lastMs = nowMs;
    allowance -= Array.isArray(data) ? MAX_SIGNAL_BYTES : data.byteLength;
    if (allowance < 0) socket.close(1008, 'too much');
  });
}

/**
 * Lets code that starts endless chains of timeouts be stopped: peer 1.0.2 keeps two of them and no handle, so a process
 * could never end after it. Timeouts set while `run` runs, and by those in turn, do nothing after `stop`.
 */
class StoppableTimers {
  readonly #active = new Set<NodeJS.Timeout>();
  #stopped = false;

  run(action: () => void): void {
    const original = globalThis.setTimeout;
    const replacement = (callback: () => void, delayMs?: number) => {
      const timer = original(() => {
        this.#active.delete(timer);
        if (!this.#stopped) this.run(callback);
      }, delayMs);
      this.#active.add(timer);
      return timer;
    };
    globalThis.setTimeout = Object.assign(replacement, original);
    try {
      action();
    } finally {
      globalThis.setTimeout = original;
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#active) clearTimeout(timer);
  }
}
