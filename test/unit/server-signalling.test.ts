/** The signalling server, spoken to as PeerJS does, and as it never would. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SIGNAL_KEY } from '../../src/transport/signalKey.ts';
import { startServer } from '../../tools/server.ts';
import type { RunningServer } from '../../tools/server.ts';
import { MAX_SIGNAL_BYTES } from '../../tools/signalling.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ port: 0, root: tmpdir(), dataDir: tmpdir() });
});

afterAll(() => server.close());

/** What the server said, in order, and a wait for the next of it. */
class Client {
  readonly socket: WebSocket;
  readonly #heard: unknown[] = [];
  #wake: () => void = () => undefined;

  constructor(id: string, token = `token-of-${id}`, key = SIGNAL_KEY) {
    const query = new URLSearchParams({ key, id, token });
    this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/signal/peerjs?${query.toString()}`);
    this.socket.on('message', (data: Buffer) => {
      this.#heard.push(JSON.parse(data.toString('utf8')));
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  async next(): Promise<unknown> {
    while (this.#heard.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#heard.shift();
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  async closeCode(): Promise<number> {
    const [code] = (await once(this.socket, 'close')) as [number];
    return code;
  }
}

describe('the signalling server', () => {
  test('answers over HTTP on the same port, and tells nobody who is there', async () => {
    const about = await fetch(`${server.url}signal/`);
    expect(await about.json()).toMatchObject({ name: 'PeerJS Server' });
    expect((await fetch(`${server.url}signal/${SIGNAL_KEY}/peers`)).status).toBe(401);
  });

  test('carries messages from one to the other, under the name of who sent them', async () => {
    const [a, b] = [new Client('a'), new Client('b')];
    expect([await a.next(), await b.next()]).toEqual([{ type: 'OPEN' }, { type: 'OPEN' }]);
    a.send({ type: 'OFFER', src: 'somebody else', dst: 'b', payload: { sdp: 1 } });
    expect(await b.next()).toEqual({ type: 'OFFER', src: 'a', dst: 'b', payload: { sdp: 1 } });
    a.socket.close();
    b.socket.close();
  });

  test('says that an address is taken, and gives it back to whoever has its token', async () => {
    const first = new Client('address', 'mine');
    expect(await first.next()).toEqual({ type: 'OPEN' });
    const thief = new Client('address', 'other');
    expect(await thief.next()).toMatchObject({ type: 'ID-TAKEN' });
    const again = new Client('address', 'mine');
    expect(await again.next()).toEqual({ type: 'OPEN' });
    first.socket.close();
    again.socket.close();
  });

  test('frees an address as soon as its socket closes', async () => {
    const first = new Client('freed', 'one');
    await first.next();
    first.socket.close();
    await once(first.socket, 'close');
    const second = new Client('freed', 'two');
    expect(await second.next()).toEqual({ type: 'OPEN' });
    second.socket.close();
  });

  test('refuses another key, a missing token and an address that is none', async () => {
    expect(await new Client('k', 't', 'peerjs').next()).toMatchObject({ type: 'ERROR' });
    const refused: [id: string, token: string][] = [
      ['x'.repeat(65), 't'],
      ['a b', 't'],
      ['a', ''],
    ];
    for (const [id, token] of refused) {
      const response = once(new Client(id, token).socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
      expect((await response)[1].statusCode).toBe(401);
    }
  });

  test('closes a socket over which a message comes that is too long', async () => {
    const client = new Client('long');
    await client.next();
    client.socket.send('x'.repeat(MAX_SIGNAL_BYTES + 1));
    expect(await client.closeCode()).toBe(1009);
  });

  test('closes a socket that floods', async () => {
    const client = new Client('flood');
    await client.next();
    const code = client.closeCode();
    const message = JSON.stringify({ type: 'HEARTBEAT', payload: 'x'.repeat(60_000) });
    for (let i = 0; i < 200; i++) client.socket.send(message);
    expect(await code).toBe(1008);
  });

  test('lives through messages that are none', async () => {
    const client = new Client('odd');
    await client.next();
    for (const text of ['{', 'null', '1', '[]', '"x"', '{"type":"OFFER","dst":{}}', '{"type":"constructor"}']) {
      client.socket.send(text);
    }
    client.socket.send(new Uint8Array([255, 254]));
    client.send({ type: 'OFFER', dst: 'odd', payload: 'to myself' });
    expect(await client.next()).toMatchObject({ src: 'odd', payload: 'to myself' });
    client.socket.close();
  });
});
