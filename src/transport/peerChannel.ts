/** A Channel over the data channel of one PeerJS connection: back-pressure, signs of life, a goodbye. */
import type { DataConnection } from 'peerjs';
import { deferred } from '../core/async.ts';
import type { Deferred } from '../core/async.ts';
import type { Bytes } from '../core/bytes.ts';
import type { ChannelId } from '../core/ids.ts';
import { MAX_FRAME_BYTES } from '../core/ports.ts';
import type { Channel, Clock, Unsubscribe } from '../core/ports.ts';
import { ChannelState, checkFrame, ENDED, HIGH_WATER_BYTES } from './channelState.ts';
import { Heartbeat } from './heartbeat.ts';

/** Sending goes on when the buffer has drained to this. */
const LOW_WATER_BYTES = HIGH_WATER_BYTES / 4;

/** What was handed over gets this long to leave after `close`. */
export const FLUSH_MS = 5_000;

/**
 * Control messages are text and frames are binary: SCTP keeps the two apart by its payload protocol identifier (RFC
 * 8831, section 6.6), so a frame needs no prefix and no copy.
 */
const PING = '?';
const PONG = '!';
const GOODBYE = '.';

interface Waiting {
  readonly frame: Bytes;
  readonly sent: Deferred<void>;
}

export class PeerChannel implements Channel {
  readonly #state: ChannelState;
  readonly #connection: DataConnection;
  readonly #wire: RTCDataChannel;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  /** Not handed over yet, in order. */
  readonly #queue: Waiting[] = [];
  /** Handed over, but the buffer is above the mark. */
  #blocked: Deferred<void>[] = [];

  /** `connection` has just opened: frames are lost if its data channel has been open for longer. */
  constructor(id: ChannelId, connection: DataConnection, clock: Clock) {
    this.#state = new ChannelState(id);
    this.#connection = connection;
    this.#wire = connection.dataChannel;
    this.#clock = clock;
    this.#wire.binaryType = 'arraybuffer';
    this.#wire.bufferedAmountLowThreshold = LOW_WATER_BYTES;
    this.#wire.addEventListener('bufferedamountlow', () => this.#drain());
    this.#wire.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(event.data));
    this.#wire.addEventListener('close', () => this.#end(ENDED.lost));
    connection.on('close', () => this.#end(ENDED.lost));
    this.#heartbeat = new Heartbeat(clock, {
      ping: () => this.#control(PING),
      dead: () => this.#end(ENDED.silent),
    });
  }

  get id(): ChannelId {
    return this.#state.id;
  }

  get isOpen(): boolean {
    return this.#state.isOpen;
  }

  async send(frame: Bytes): Promise<void> {
    checkFrame(frame);
    if (!this.isOpen) throw this.#state.closedError();
    const sent = deferred<void>();
    this.#queue.push({ frame, sent });
    this.#drain();
    await sent.promise;
  }

  onFrame(handler: (frame: Bytes) => void): void {
    this.#state.onFrame(handler);
  }

  onClose(handler: (reason: string) => void): Unsubscribe {
    return this.#state.onClose(handler);
  }

  close(): void {
    this.#end(ENDED.here);
  }

  #drain(): void {
    if (!this.isOpen) return;
    if (this.#wire.bufferedAmount <= HIGH_WATER_BYTES) for (const sent of this.#blocked.splice(0)) sent.resolve();
    while (this.#wire.bufferedAmount <= HIGH_WATER_BYTES) {
      const next = this.#queue.shift();
      if (!next) return;
      try {
        this.#wire.send(next.frame);
      } catch {
        // The data channel is closing, and says so in an event that has not come yet.
        this.#queue.unshift(next);
        this.#end(ENDED.lost);
        return;
      }
      if (this.#wire.bufferedAmount <= HIGH_WATER_BYTES) next.sent.resolve();
      else this.#blocked.push(next.sent);
    }
  }

  #receive(data: unknown): void {
    this.#heartbeat.heard();
    if (!this.isOpen) return;
    if (data instanceof ArrayBuffer) {
      if (data.byteLength > MAX_FRAME_BYTES) this.#end(ENDED.tooLarge);
      else if (!this.#state.take(new Uint8Array(data))) this.#end(ENDED.flood);
    } else if (data === PING) this.#control(PONG);
    else if (data === GOODBYE) this.#end(ENDED.there);
    else if (data !== PONG) this.#end(ENDED.malformed);
  }

  #control(message: string): void {
    if (this.#wire.readyState !== 'open') return;
    try {
      this.#wire.send(message);
    } catch {
      this.#end(ENDED.lost);
    }
  }

  #end(reason: string): void {
    if (!this.#state.end(reason)) return;
    this.#heartbeat.stop();
    const unsent = [...this.#blocked.splice(0), ...this.#queue.splice(0).map((waiting) => waiting.sent)];
    for (const sent of unsent) sent.reject(this.#state.closedError());
    if (reason === ENDED.there || reason === ENDED.lost || reason === ENDED.silent) {
      this.#connection.close();
      return;
    }
    // The other side closes the connection when it has read this far. Closing it here would drop what is in the buffer,
    // and Chromium drops frames that it has received but not delivered when a data channel is closed.
    this.#control(GOODBYE);
    const giveUp = this.#clock.after(FLUSH_MS, () => this.#connection.close());
    this.#connection.on('close', giveUp);
  }
}
