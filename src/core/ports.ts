/** What the outside must give: each port has a contract suite or a fake in the tests. */
import type { Bytes } from './bytes.ts';
import type { HushError } from './errors.ts';
import type { ChannelId } from './ids.ts';

export type Unsubscribe = () => void;

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Calls `action` once after `delayMs`; the result calls it off. */
  after(delayMs: number, action: () => void): Unsubscribe;
}

export interface Random {
  /** Cryptographically strong. */
  bytes(length: number): Bytes;
}

/** Keeps structured-clonable values, CryptoKeys among them, across reloads. */
export interface Store {
  get<T>(key: string): Promise<T | undefined>;
  /** @throws HushError `store/full` or `store/failed`. */
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that start with `prefix`, sorted. */
  keys(prefix: string): Promise<readonly string[]>;
}

/** Names held by this tab alone among all tabs of the browser (Web Locks). */
export interface Locks {
  /** Gives a release when `name` was free, undefined when another tab holds it. */
  tryHold(name: string): Promise<Unsubscribe | undefined>;
  /** Runs `action` while nobody else runs one under the same name. */
  exclusive<T>(name: string, action: () => Promise<T>): Promise<T>;
}

/** A frame is at most this long: below every browser's message limit, and small enough to interleave. */
export const MAX_FRAME_BYTES = 64 * 1024;

/**
 * Ordered, reliable, message-preserving frames to one peer. Frames that arrive before a handler is set are kept, at most
 * 256 of them; a peer that sends more, or a longer one than MAX_FRAME_BYTES, is closed.
 */
export interface Channel {
  readonly id: ChannelId;
  readonly isOpen: boolean;
  /**
   * Resolves once the frame is handed over and the channel's buffer has room again (back-pressure); does not say that it
   * arrived. @throws HushError `transport/closed` when the channel closes before, `frame/too-large`.
   */
  send(frame: Bytes): Promise<void>;
  /** One handler; frames come in the order in which they were sent. */
  onFrame(handler: (frame: Bytes) => void): void;
  /** Called once, also when the channel is closed already; `reason` is for people. */
  onClose(handler: (reason: string) => void): Unsubscribe;
  close(): void;
}

export type Reachability = 'connecting' | 'online' | 'offline' | 'closed';

export interface Transport {
  /** Where others reach this one once it is open. */
  readonly address: string;
  readonly reachability: Reachability;
  /** Becomes reachable; keeps trying with backoff until `close`. @throws HushError `transport/unreachable`. */
  open(): Promise<void>;
  /** @throws HushError `transport/unreachable` when nobody answers at `address` in time. */
  connect(address: string): Promise<Channel>;
  /** Channels that others open to this one. */
  onChannel(handler: (channel: Channel) => void): Unsubscribe;
  onReachability(handler: (state: Reachability) => void): Unsubscribe;
  close(): void;
}

/** The signal of a worker that died: pending calls fail with it too. */
export type FailureHandler = (error: HushError) => void;
