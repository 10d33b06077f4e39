/**
 * One connection to one peer: frames, envelopes, sequence numbers and limits. Everything that a peer sends ends here in a
 * checked message or in a counted refusal; nothing is thrown past it.
 */
import { SerialQueue } from '../core/async.ts';
import type { Bytes } from '../core/bytes.ts';
import { asHushError, HushError } from '../core/errors.ts';
import type { ParticipantId, PublicKey } from '../core/ids.ts';
import type { Channel, Clock } from '../core/ports.ts';
import { participantIdOf } from '../crypto/hash.ts';
import { openEnvelope } from './envelope.ts';
import { framesOf, Reassembly } from './frames.ts';
import type { Binding, Message, Role } from './messages.ts';

/** Before the hello nothing longer is read. */
const GREETING_BYTES = 8 * 1024;
/** A peer that does not greet is closed after this long. */
const GREETING_MS = 30_000;
/** Messages waiting to be checked; a peer that floods is closed. */
const MAX_WAITING = 256;
/** The same in bytes, counted in longest messages: what one peer can make this side hold, beside the one being received. */
const MAX_WAITING_LONGEST = 4;
/** Bytes given to `send` and not begun; a peer that reads too slowly is closed. */
const MAX_QUEUED_BYTES = 2 ** 28;
/** Refused messages, after which a peer is closed. */
const MAX_REFUSED = 1000;

export interface LinkHandlers {
  onMessage(message: Message): void;
  onRefused(error: HushError): void;
  onClosed(reason: string): void;
}

export interface LinkOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  readonly binding: Binding;
  readonly own: ParticipantId;
  readonly peerRole: Role;
  /** Known from the invite (coordinator), or learnt from the hello (participant). */
  readonly peerKey?: PublicKey;
  readonly handlers: LinkHandlers;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #incoming = new SerialQueue();
  readonly #outgoing = new SerialQueue();
  readonly #reassembly = new Reassembly(GREETING_BYTES);
  #peerKey: PublicKey | undefined;
  #peerId: ParticipantId | undefined;
  #lastSeq = -1;
  #messages = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #refused = 0;
  #queuedBytes = 0;
  #closed = false;
  #cancelGreeting: () => void;
  /** Application frames, headers included. */
  bytesSent = 0;
  bytesReceived = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#setPeer(options.peerKey);
    this.#cancelGreeting = options.clock.after(GREETING_MS, () => this.#abort('no greeting in time'));
    // What came before the end is still taken: a leave, or the reason for not being admitted.
    options.channel.onClose((reason) => void this.#incoming.run(() => this.#finish(reason)));
    options.channel.onFrame((frame) => this.#receive(frame));
  }

  get peerId(): ParticipantId | undefined {
    return this.#peerId;
  }

  get isOpen(): boolean {
    return !this.#closed && this.#options.channel.isOpen;
  }

  /** Longer messages are read from now on. */
  readUpTo(maxMessageBytes: number): void {
    this.#reassembly.maxBytes = maxMessageBytes;
  }

  /** Both sides have shown who they are. */
  greeted(): void {
    this.#cancelGreeting();
  }

  /** Sends a sealed envelope, after those given before; false when the channel closed first. */
  async send(envelope: Bytes): Promise<boolean> {
    this.#queuedBytes += envelope.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.#abort('it reads too slowly');
    return this.#outgoing.run(async () => {
      this.#queuedBytes -= envelope.length;
      for (const frame of framesOf(envelope, this.#messages++)) {
        if (!this.isOpen) return false;
        try {
          await this.#options.channel.send(frame);
        } catch {
          // The channel reports its own closing; whoever waits for an answer learns it from there.
          return false;
        }
        this.bytesSent += frame.length;
      }
      return true;
    });
  }

  /** Closes once what was given to `send` is out. */
  close(reason = 'closed here'): void {
    void this.#outgoing.run(() => this.#abort(reason));
  }

  #setPeer(key: PublicKey | undefined): void {
    this.#peerKey = key;
    this.#peerId = key === undefined ? undefined : participantIdOf(key);
  }

  #receive(frame: Bytes): void {
    if (this.#closed) return;
    this.bytesReceived += frame.length;
    try {
      const bytes = this.#reassembly.push(frame);
      if (bytes === undefined) return;
      const full = this.#waitingBytes + bytes.length > MAX_WAITING_LONGEST * this.#reassembly.maxBytes;
      if (full || this.#waiting >= MAX_WAITING) return this.#abort('too many messages at once');
      this.#wait(1, bytes);
      void this.#incoming.run(() => this.#open(bytes)).finally(() => this.#wait(-1, bytes));
    } catch (error) {
      this.#refuse(error);
    }
  }

  #wait(more: 1 | -1, { length }: Bytes): void {
    this.#waiting += more;
    this.#waitingBytes += more * length;
  }

  async #open(bytes: Bytes): Promise<void> {
    if (this.#closed) return;
    const { binding, own, peerRole, handlers } = this.#options;
    try {
      const opened = await openEnvelope(bytes, {
        binding,
        own,
        senderRole: peerRole,
        senderKey: this.#peerKey,
        senderId: this.#peerId,
        lastSeq: this.#lastSeq,
      });
      if (this.#peerKey === undefined && opened.message.type === 'hello') {
        this.#setPeer(opened.message.body.publicKey);
        if (this.#peerId !== opened.from) throw new HushError('codec/sender', 'The id is not that of the key.');
      }
      this.#lastSeq = opened.seq;
      if (!this.#closed) handlers.onMessage(opened.message);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    this.#options.handlers.onRefused(asHushError(error, 'codec/unreadable'));
    this.#refused++;
    if (this.#refused >= MAX_REFUSED) this.#abort('too many refused messages');
  }

  #abort(reason: string): void {
    this.#options.channel.close();
    this.#finish(reason);
  }

  #finish(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelGreeting();
    this.#options.handlers.onClosed(reason);
  }
}
