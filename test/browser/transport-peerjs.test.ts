/** The PeerJS transport over real WebRTC and the project's own signalling server. */
import { Peer } from 'peerjs';
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import type { Channel, Transport } from '../../src/core/ports.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { createPeerTransport } from '../../src/transport/peerjs.ts';
import { SIGNAL_KEY, SIGNAL_PATH } from '../../src/transport/signalKey.ts';
import { peerOptions } from '../../src/transport/signalling.ts';
import { transportContract } from '../contract/transportContract.ts';
import type { TransportPair } from '../contract/transportContract.ts';

const server = { host: '127.0.0.1', port: inject('signalPort'), secure: false, path: SIGNAL_PATH };

/** Sockets to the signalling server, in the order in which they were opened. */
const sockets: WebSocket[] = [];
const opened: Transport[] = [];

beforeEach(() => {
  const Original = WebSocket;
  vi.stubGlobal(
    'WebSocket',
    class extends Original {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    },
  );
});

afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
  sockets.length = 0;
  vi.unstubAllGlobals();
});

function peer(address?: string): Transport {
  const transport = createPeerTransport({
    ...server,
    ...(address ? { address } : {}),
    clock: systemClock,
    random: systemRandom,
  });
  opened.push(transport);
  return transport;
}

async function peerPair(): Promise<TransportPair> {
  const [a, b] = [peer(), peer()];
  await a.open();
  const socketOfA = sockets.at(-1)!;
  await b.open();
  return {
    a,
    b,
    interrupt: () => socketOfA.close(),
    close() {
      a.close();
      b.close();
    },
  };
}

function randomAddress(): string {
  return toHex(systemRandom.bytes(16));
}

function closed(channel: Channel): Promise<string> {
  return new Promise((resolve) => channel.onClose(resolve));
}

/** A client of the signalling server that is not ours. */
async function strangerAt(address: string): Promise<WebSocket> {
  const { host, port, path } = server;
  const socket = new WebSocket(`ws://${host}:${port}${path}/peerjs?key=${SIGNAL_KEY}&id=${address}&token=stranger`);
  await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
  return socket;
}

/** PeerJS as it comes, called by a stranger. */
async function strangerPeer(): Promise<Peer> {
  const stranger = new Peer(randomAddress(), peerOptions(server, 'stranger'));
  await new Promise<void>((resolve) => stranger.on('open', () => resolve()));
  return stranger;
}

transportContract('peerjs', peerPair);

describe('a PeerJS transport', () => {
  test('leaves nothing to the defaults of PeerJS, which name public servers', () => {
    const instance = new Peer('options', peerOptions({ ...server, port: 9 }, 'token'));
    const effective = JSON.stringify(instance.options);
    instance.destroy();
    expect(effective).not.toMatch(/peerjs\.com|google|stun:|turn:/);
    expect(instance.options).toMatchObject({ host: '127.0.0.1', secure: false, config: { iceServers: [] } });
  });

  test('has an address of its own in every session, of 32 hexadecimal digits', () => {
    const addresses = [peer(), peer(), peer()].map((transport) => transport.address);
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^[0-9a-f]{32}$/);
  });

  test('keeps at most about 1 MiB in the buffer of the data channel', async () => {
    const { a, b } = await peerPair();
    let peakBytes = 0;
    const { value: send } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'send') as { value: () => void };
    const spy = vi.spyOn(RTCDataChannel.prototype, 'send').mockImplementation(function (this: RTCDataChannel, data) {
      Reflect.apply(send, this, [data]);
      peakBytes = Math.max(peakBytes, this.bufferedAmount);
    });
    const frames = 160;
    const all = new Promise<void>((resolve) => {
      let received = 0;
      b.onChannel((channel) => channel.onFrame(() => ++received === frames && resolve()));
    });
    const channel = await a.connect(b.address);
    await Promise.all(Array.from({ length: frames }, () => channel.send(new Uint8Array(MAX_FRAME_BYTES))));
    await all;
    spy.mockRestore();
    expect(peakBytes).toBeGreaterThan(512 * 1024);
    expect(peakBytes).toBeLessThanOrEqual(1024 * 1024 + MAX_FRAME_BYTES);
  });

  test('waits for an address that is still taken, as after a reload', async () => {
    const address = randomAddress();
    const before = await strangerAt(address);
    const transport = peer(address);
    const states: string[] = [];
    const refused = new Promise<void>((resolve) =>
      transport.onReachability((state) => {
        states.push(state);
        if (state === 'offline') resolve();
      }),
    );
    const open = transport.open();
    await refused;
    before.close();
    await open;
    expect(transport.address).toBe(address);
    expect(states[0]).toBe('connecting');
    expect(states.at(-1)).toBe('online');
    const caller = peer();
    await caller.open();
    expect((await caller.connect(address)).isOpen).toBe(true);
  });

  test('closes a channel over which a frame comes that is too long', async () => {
    const transport = peer();
    await transport.open();
    const reason = new Promise<string>((resolve) =>
      transport.onChannel((channel) => void closed(channel).then(resolve)),
    );
    const stranger = await strangerPeer();
    const connection = stranger.connect(transport.address, { reliable: true, serialization: 'raw' });
    connection.on('open', () => connection.dataChannel.send(new Uint8Array(MAX_FRAME_BYTES + 1)));
    expect(await reason).toContain('longer than 65536 bytes');
    stranger.destroy();
  });

  test('closes a channel over which text comes that is no sign of life', async () => {
    const transport = peer();
    await transport.open();
    const reason = new Promise<string>((resolve) =>
      transport.onChannel((channel) => void closed(channel).then(resolve)),
    );
    const stranger = await strangerPeer();
    const connection = stranger.connect(transport.address, { reliable: true, serialization: 'raw' });
    connection.on('open', () => connection.dataChannel.send('hello'));
    expect(await reason).toContain('not a frame');
    stranger.destroy();
  });

  test('ignores offers of any other kind and malformed signals, and lives on', async () => {
    const transport = peer();
    await transport.open();
    const channels: Channel[] = [];
    const first = new Promise<void>((resolve) =>
      transport.onChannel((channel) => {
        channels.push(channel);
        resolve();
      }),
    );
    const errors: unknown[] = [];
    const note = (event: ErrorEvent | PromiseRejectionEvent) => errors.push(event);
    addEventListener('error', note);
    addEventListener('unhandledrejection', note);
    const stranger = await strangerPeer();
    for (const serialization of ['binary', 'json']) {
      stranger.connect(transport.address, { reliable: true, serialization });
    }
    stranger.connect(transport.address, { reliable: false, serialization: 'raw' });
    const socket = await strangerAt(randomAddress());
    const payloads = [
      undefined,
      null,
      1,
      {},
      {
        connectionId: 'x',
        type: 'data',
        serialization: 'none such',
        reliable: true,
        sdp: { type: 'offer', sdp: 'v=0' },
      },
      {
        connectionId: 'x',
        type: 'data',
        serialization: 'raw',
        reliable: true,
        sdp: { type: 'offer', sdp: 'nonsense' },
      },
      { connectionId: 'y', type: 'data', serialization: 'raw', reliable: true, sdp: { type: 'elsewhere', sdp: '' } },
      { connectionId: 'x', candidate: { candidate: 'nonsense', sdpMLineIndex: 0 } },
      { connectionId: 'x', sdp: { type: 'answer', sdp: 'nonsense' } },
      { connectionId: 'z'.repeat(50_000), type: 'media', sdp: {} },
    ];
    for (const type of ['OFFER', 'ANSWER', 'CANDIDATE', 'LEAVE', 'EXPIRE']) {
      for (const payload of payloads) socket.send(JSON.stringify({ type, dst: transport.address, payload }));
    }
    socket.send('null');
    socket.send('{');
    const caller = peer();
    await caller.open();
    const good = await caller.connect(transport.address);
    expect(good.isOpen).toBe(true);
    await first;
    expect(channels).toHaveLength(1);
    expect(errors).toEqual([]);
    removeEventListener('error', note);
    removeEventListener('unhandledrejection', note);
    socket.close();
    stranger.destroy();
  });

  test('says goodbye when the page goes', async () => {
    const { a, b } = await peerPair();
    const there = new Promise<Channel>((resolve) => b.onChannel(resolve));
    await a.connect(b.address);
    const reason = closed(await there);
    dispatchEvent(new PageTransitionEvent('pagehide'));
    expect(await reason).toMatch(/closed it$/);
    expect([a.reachability, b.reachability]).toEqual(['closed', 'closed']);
  });
});
