/** The participant's runner: performs what the machine asks for, over one transport, one trainer and one store. */
import { backoffMs, SerialQueue } from '../core/async.ts';
import { asHushError } from '../core/errors.ts';
import type { Clock, Random, Transport } from '../core/ports.ts';
import type { ProblemView, RunView } from '../core/runView.ts';
import { sealEnvelope } from './envelope.ts';
import type { Invite } from './invite.ts';
import { Link } from './link.ts';
import type { Message } from './messages.ts';
import { LARGEST_MESSAGE_BYTES } from './messages.ts';
import { roundLimitMs } from './participantDraft.ts';
import { participantMachine } from './participantMachine.ts';
import { initialParticipant } from './participantState.ts';
import type { ParticipantEffect, ParticipantEvent, ParticipantState, ParticipantWish } from './participantState.ts';
import { guardKey, ParticipantWork } from './participantTasks.ts';
import type { ParticipantWorkOptions } from './participantTasks.ts';
import { participantView } from './participantView.ts';
import { Runner } from './runner.ts';

/** For something to come from the coordinator while the plan's deadlines are not known. */
const PATIENCE_MS = 60_000;

export interface ParticipantOptions extends Omit<
  ParticipantWorkOptions,
  'binding' | 'coordinatorKey' | 'secret' | 'admission'
> {
  readonly invite: Invite;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
}

export class Participant extends Runner<ParticipantState, ParticipantEvent, ParticipantEffect> {
  readonly #options: ParticipantOptions;
  readonly #work: ParticipantWork;
  readonly #sending = new SerialQueue();
  readonly #startedMs: number;
  #link: Link | undefined;
  #sequence = 0;
  /** When the coordinator last said something. */
  #heardMs = 0;
  /** Of links that are closed. */
  #bytes = { sent: 0, received: 0 };

  protected constructor(options: ParticipantOptions, guard: number) {
    const { invite, identity, clock } = options;
    const binding = { federation: invite.federation, planHash: invite.planHash };
    super(participantMachine, initialParticipant(identity.id, binding, invite.key, guard), clock);
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#work = new ParticipantWork({
      ...options,
      binding,
      coordinatorKey: invite.key,
      admission: invite.admission,
      secret: new Uint8Array(invite.secret),
    });
    options.trainer.onProgress((progress) => this.take({ event: 'progress', progress }));
    options.trainer.onFailure((error) => this.take({ event: 'trainer-failed', error }));
  }

  /** Takes up the identity's guard and goes to meet the coordinator. */
  static async start(options: ParticipantOptions): Promise<Participant> {
    const { invite, identity, store } = options;
    const binding = { federation: invite.federation, planHash: invite.planHash };
    const guard = (await store.get<number>(guardKey(binding, invite.key, identity.id))) ?? 0;
    const participant = new this(options, guard);
    void participant.#connect(0);
    return participant;
  }

  wish(wish: ParticipantWish): void {
    this.take({ event: 'wish', wish });
  }

  /** Percent of the time that this machine may train. */
  share(percent: number): void {
    this.#options.trainer.share(percent);
  }

  /** The trainer has read what the plan asks this person for; before that, nothing is answered for a round. */
  acceptData(): void {
    this.take({ event: 'data-accepted' });
  }

  view(): RunView {
    return participantView(this.state, {
      log: this.log,
      refusals: this.refusals,
      bytesUp: this.#bytes.sent + (this.#link?.bytesSent ?? 0),
      bytesDown: this.#bytes.received + (this.#link?.bytesReceived ?? 0),
      startedMs: this.#startedMs,
    });
  }

  /** The model that this participant stands at. */
  model(): ParticipantWork['model'] {
    return this.#work.model;
  }

  /** The plan as it was launched; undefined until it is here. */
  planBytes(): ParticipantWork['planBytes'] {
    return this.#work.planBytes;
  }

  override close(): void {
    if (this.stopped) return;
    this.stop();
    this.#work.wipeAll();
    this.#link?.close();
    this.#options.trainer.close();
    this.#options.transport.close();
  }

  protected override failedState(state: ParticipantState, problem: ProblemView): ParticipantState {
    return { ...state, phase: 'failed', problem };
  }

  protected override perform(effect: ParticipantEffect): void {
    switch (effect.effect) {
      case 'send':
        return this.#send(effect.message);
      case 'task':
        return this.#run(effect);
      case 'connect':
        void this.#connect(effect.attempt + 1);
        return;
      case 'disconnect': {
        const link = this.#link;
        this.#link = undefined;
        this.#options.trainer.stop();
        if (link !== undefined) {
          this.#keepBytes(link);
          // What was sent just before, a leave among it, goes out first.
          void this.#sending.run(() => link.close());
        }
        return;
      }
      case 'wipe':
        return this.#work.wipe(effect.round);
      case 'trainer':
        return this.#options.trainer[effect.order]();
      case 'timer':
      case 'cancel-timer':
      case 'refused':
      case 'log':
        return this.performCommon(effect);
      default:
        effect satisfies never;
    }
  }

  #run(effect: Extract<ParticipantEffect, { readonly effect: 'task' }>): void {
    const { task, round } = effect;
    const work = this.#work[task] as (input: unknown, round: number) => Promise<unknown>;
    void this.settle(
      work.call(this.#work, effect.input, round),
      (output) => this.take({ event: 'done', task, round, output } as ParticipantEvent),
      (error) => this.take({ event: 'failed', task, round, error }),
    );
  }

  #send(message: Message): void {
    const link = this.#link;
    if (link === undefined) return;
    const { identity } = this.#options;
    const { type, round, body } = message;
    const seq = this.#sequence++;
    void this.#sending.run(async () => {
      const envelope = await sealEnvelope(identity, this.state.binding, {
        type,
        round,
        to: link.peerId ?? null,
        seq,
        body,
      });
      await link.send(envelope);
    });
  }

  async #connect(attempt: number): Promise<void> {
    const { transport, invite, clock, random } = this.#options;
    if (attempt > 0) {
      const [byte = 0] = random.bytes(1);
      await new Promise<void>((resolve) => {
        clock.after(backoffMs(attempt, byte / 256), resolve);
      });
    }
    if (this.stopped) return;
    try {
      await transport.open();
      const channel = await transport.connect(invite.address);
      if (this.stopped) return channel.close();
      const link: Link = new Link({
        channel,
        clock,
        binding: this.state.binding,
        own: this.#options.identity.id,
        peerRole: 'coordinator',
        peerKey: invite.key,
        handlers: {
          onMessage: (message) => this.#receive(link, message),
          onRefused: (error) => {
            this.countRefusal(error.code);
            this.changed();
            this.#doubt(link, error.code);
          },
          onClosed: (reason) => this.#closed(link, reason),
        },
      });
      this.#link = link;
      this.#heardMs = clock.nowMs();
      this.take({ event: 'connected' });
      this.#listen(link);
    } catch (error) {
      if (!this.stopped) this.take({ event: 'closed', reason: asHushError(error, 'transport/unreachable').message });
    }
  }

  /**
   * Whoever hears nothing for longer than a round can take has missed something, such as the end: it meets anew, and is told
   * where things stand.
   */
  #listen(link: Link): void {
    if (link !== this.#link || this.stopped) return;
    const { plan } = this.state;
    const limitMs = plan === undefined ? PATIENCE_MS : roundLimitMs(plan);
    const quietMs = this.clock.nowMs() - this.#heardMs;
    if (quietMs >= limitMs) return link.close('nothing was heard from it for too long');
    this.clock.after(limitMs - quietMs, () => this.#listen(link));
  }

  #receive(link: Link, message: Message): void {
    if (link !== this.#link) return;
    this.#heardMs = this.clock.nowMs();
    if (message.type === 'challenge') link.readUpTo(LARGEST_MESSAGE_BYTES);
    this.take({ event: 'message', message });
    // Without a welcome the link closes itself in time, and is opened anew.
    if (this.state.welcome !== undefined) link.greeted();
  }

  /** The first thing that a coordinator says is bound and signed: what is wrong with it shows that it is another one. */
  #doubt(link: Link, code: string): void {
    if (link !== this.#link || this.state.welcome !== undefined) return;
    if (code === 'codec/signature' || code === 'codec/sender') this.take({ event: 'foreign', what: 'key' });
    if (code === 'codec/binding') this.take({ event: 'foreign', what: 'plan' });
  }

  #closed(link: Link, reason: string): void {
    if (link !== this.#link) return;
    this.#link = undefined;
    this.#keepBytes(link);
    this.take({ event: 'closed', reason });
  }

  #keepBytes(link: Link): void {
    this.#bytes = { sent: this.#bytes.sent + link.bytesSent, received: this.#bytes.received + link.bytesReceived };
  }
}
