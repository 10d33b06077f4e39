/** What every channel keeps, whatever carries it: frames that wait for a handler, and how it ended. */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';
import { MAX_FRAME_BYTES } from '../core/ports.ts';
import type { Unsubscribe } from '../core/ports.ts';

/** Frames that are kept while nobody listens; more is a flood, and the channel is closed. */
export const MAX_KEPT_FRAMES = 256;

/** A sender waits while more than this lies in its buffer. */
export const HIGH_WATER_BYTES = 1024 * 1024;

/** Why channels end; shown to people. */
export const ENDED = {
  here: 'this side closed it',
  there: 'the other side closed it',
  lost: 'the connection was lost',
  silent: 'the other side has shown no sign of life for 45 s',
  flood: `the other side sent more than ${MAX_KEPT_FRAMES} frames before anyone listened`,
  tooLarge: `the other side sent a frame longer than ${MAX_FRAME_BYTES} bytes`,
  malformed: 'the other side sent something that is not a frame',
} as const;

/** @throws HushError `frame/too-large`. */
export function checkFrame(frame: Bytes): void {
  if (frame.length <= MAX_FRAME_BYTES) return;
  throw new HushError('frame/too-large', `A frame has ${frame.length} bytes, expected at most ${MAX_FRAME_BYTES}.`);
}

export class ChannelState {
  readonly id: ChannelId;
  #kept: Bytes[] = [];
  #handler: ((frame: Bytes) => void) | undefined;
  #replayed = false;
  #endedWith: string | undefined;
  readonly #closeHandlers = new Set<(reason: string) => void>();

  constructor(id: ChannelId) {
    this.id = id;
  }

  get isOpen(): boolean {
    return this.#endedWith === undefined;
  }

  closedError(): HushError {
    return new HushError('transport/closed', `The channel is closed: ${this.#endedWith ?? ENDED.lost}.`);
  }

  /** Hands a frame on, or keeps it; false when too many wait already. */
  take(frame: Bytes): boolean {
    if (!this.#replayed && this.#kept.length >= MAX_KEPT_FRAMES) return false;
    this.#kept.push(frame);
    if (this.#replayed) this.#handOn();
    return true;
  }

  /** Kept frames follow in a microtask, so that a handler never runs inside the call that sets it. */
  onFrame(handler: (frame: Bytes) => void): void {
    this.#handler = handler;
    queueMicrotask(() => {
      this.#replayed = true;
      this.#handOn();
    });
  }

  onClose(handler: (reason: string) => void): Unsubscribe {
    this.#closeHandlers.add(handler);
    if (!this.isOpen) queueMicrotask(() => this.#tell(handler));
    return () => this.#closeHandlers.delete(handler);
  }

  /** True the first time. Frames that came before are still handed on, unless this side closed. */
  end(reason: string): boolean {
    if (!this.isOpen) return false;
    this.#endedWith = reason;
    if (reason === ENDED.here) this.#kept = [];
    // In a microtask, so that frames kept for a handler set just before come first.
    queueMicrotask(() => {
      for (const handler of this.#closeHandlers) this.#tell(handler);
    });
    return true;
  }

  #tell(handler: (reason: string) => void): void {
    if (this.#closeHandlers.delete(handler)) handler(this.#endedWith ?? ENDED.lost);
  }

  #handOn(): void {
    for (let frame = this.#kept.shift(); frame; frame = this.#kept.shift()) this.#handler?.(frame);
  }
}
