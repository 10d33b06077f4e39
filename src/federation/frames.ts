/**
 * Messages cut into frames for a channel, and put together again under limits. One message at a time: a channel keeps order.
 *
 *     0        4        6        8
 *     | number | index  | count  | payload …        big-endian
 */
import { MAX_FRAME_BYTES } from '../core/ports.ts';
import type { Bytes } from '../core/bytes.ts';
import { concatBytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';

export const FRAME_HEADER_BYTES = 8;
const NUMBER_OFFSET = 0;
const INDEX_OFFSET = 4;
const COUNT_OFFSET = 6;
const PAYLOAD_BYTES = MAX_FRAME_BYTES - FRAME_HEADER_BYTES;
const MAX_COUNT = 0xffff;

/** @throws HushError `frame/message-too-large` above 65,535 frames, about 4 GB. */
export function* framesOf(message: Uint8Array, number: number): Generator<Bytes> {
  const count = Math.max(1, Math.ceil(message.length / PAYLOAD_BYTES));
  if (count > MAX_COUNT) {
    throw new HushError(
      'frame/message-too-large',
      `A message has ${message.length} bytes, which no ${MAX_COUNT} frames hold.`,
    );
  }
  for (let index = 0; index < count; index++) {
    const payload = message.subarray(index * PAYLOAD_BYTES, (index + 1) * PAYLOAD_BYTES);
    const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
    const view = new DataView(frame.buffer);
    view.setUint32(NUMBER_OFFSET, number >>> 0);
    view.setUint16(INDEX_OFFSET, index);
    view.setUint16(COUNT_OFFSET, count);
    frame.set(payload, FRAME_HEADER_BYTES);
    yield frame;
  }
}

/** Collects the frames of one message after the other; never holds more than `maxBytes`. */
export class Reassembly {
  /** Bytes of the longest message that is expected; may be raised once a plan is known. */
  maxBytes: number;
  #number = -1;
  #count = 0;
  #parts: Bytes[] = [];
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /**
   * Gives the message that `frame` completes, or undefined. A frame out of place drops the message that it interrupts.
   * @throws HushError `frame/…`: too-short, index, order, too-large.
   */
  push(frame: Bytes): Bytes | undefined {
    if (frame.length < FRAME_HEADER_BYTES) {
      throw this.#refuse(
        'frame/too-short',
        `A frame has ${frame.length} bytes, expected at least ${FRAME_HEADER_BYTES}.`,
      );
    }
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const number = view.getUint32(NUMBER_OFFSET);
    const index = view.getUint16(INDEX_OFFSET);
    const count = view.getUint16(COUNT_OFFSET);
    if (index >= count) throw this.#refuse('frame/index', `Frame ${index} of ${count}.`);
    if (index === 0) {
      this.#forget();
      if (count * PAYLOAD_BYTES > this.maxBytes + PAYLOAD_BYTES) {
        throw this.#refuse('frame/too-large', `${count} frames, expected at most ${this.maxBytes} bytes.`);
      }
      this.#number = number;
      this.#count = count;
    } else if (number !== this.#number || count !== this.#count || index !== this.#parts.length) {
      throw this.#refuse('frame/order', `Frame ${index} of message ${number} is out of place.`);
    }
    this.#sizeBytes += frame.length - FRAME_HEADER_BYTES;
    if (this.#sizeBytes > this.maxBytes) {
      throw this.#refuse('frame/too-large', `More than ${this.maxBytes} bytes in one message.`);
    }
    this.#parts.push(frame.subarray(FRAME_HEADER_BYTES));
    if (this.#parts.length < count) return undefined;
    const [first] = this.#parts;
    const message = count === 1 && first !== undefined ? first : concatBytes(...this.#parts);
    this.#forget();
    return message;
  }

  #refuse(code: `frame/${string}`, message: string): HushError {
    this.#forget();
    return new HushError(code, message);
  }

  #forget(): void {
    this.#number = -1;
    this.#count = 0;
    this.#parts = [];
    this.#sizeBytes = 0;
  }
}
