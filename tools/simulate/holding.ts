/** How many bytes a coordinator holds: messages on their way to it and being put together, and bodies that it keeps. */
import type { RoundNumber } from '../../src/core/ids.ts';
import type { Message } from '../../src/federation/messages.ts';

/** Bodies that stay in the state until their round is over. */
const KEPT_TYPES: readonly Message['type'][] = ['advert', 'share', 'complain', 'agree', 'unmask', 'confirm'];

const INDEX_OFFSET = 4;
const COUNT_OFFSET = 6;

export class Holding {
  readonly #kept = new Map<RoundNumber, number>();
  readonly #assembling = new Map<string, number>();
  #keptBytes = 0;
  #assemblingBytes = 0;
  /** Masked updates that are being added. */
  addingBytes = 0;
  #peakBytes = 0;

  get peakBytes(): number {
    return this.#peakBytes;
  }

  frame(channel: string, frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const before = this.#assembling.get(channel) ?? 0;
    const complete = view.getUint16(INDEX_OFFSET) + 1 >= view.getUint16(COUNT_OFFSET);
    const after = complete ? 0 : before + frame.length;
    this.#assemblingBytes += after - before;
    if (complete) this.#assembling.delete(channel);
    else this.#assembling.set(channel, after);
  }

  message({ type, round, body }: Message): void {
    if (!KEPT_TYPES.includes(type)) return;
    const bytes = sizeBytes(body);
    this.#keptBytes += bytes;
    this.#kept.set(round, (this.#kept.get(round) ?? 0) + bytes);
  }

  /** The round is in the ledger: nothing of it or of those before is kept. */
  roundOver(round: RoundNumber): void {
    for (const [kept, bytes] of this.#kept) {
      if (kept > round) continue;
      this.#keptBytes -= bytes;
      this.#kept.delete(kept);
    }
  }

  /** `elsewhereBytes`: sums in the summer, frames on the network. */
  sample(elsewhereBytes: number): void {
    const bytes = this.#keptBytes + this.#assemblingBytes + this.addingBytes + elsewhereBytes;
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
  }
}

/** Of a decoded body: bytes as they are, text a byte for each character, numbers eight. */
export function sizeBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeBytes(item), 0);
  if (typeof value === 'object' && value !== null) return sizeBytes(Object.values(value));
  return 8;
}
