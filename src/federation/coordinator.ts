/** The coordinator's runner: performs what the machine asks for, over one transport, one summer and one store. */
import { SerialQueue } from '../core/async.ts';
import { toHex } from '../core/bytes.ts';
import type { ChannelId } from '../core/ids.ts';
import type { Summer } from '../core/localWork.ts';
import { parsePlan, startHash } from '../core/plan.ts';
import type { Channel, Clock, Random, Store, Transport } from '../core/ports.ts';
import type { ProblemView, RunView } from '../core/runView.ts';
import { identityFrom } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import { coordinatorMachine } from './coordinatorMachine.ts';
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState, RoundMetrics } from './coordinatorState.ts';
import { CoordinatorStore } from './coordinatorStore.ts';
import type { FederationDeed } from './coordinatorStore.ts';
import { CoordinatorWork } from './coordinatorTasks.ts';
import { coordinatorView, statusesOf } from './coordinatorView.ts';
import { sealEnvelope } from './envelope.ts';
import { restoreCoordinator } from './founding.ts';
import type { Invite } from './invite.ts';
import { Link } from './link.ts';
import { helloProblem } from './meeting.ts';
import { largestFromParticipantBytes, PROTOCOL_VERSION } from './messages.ts';
import type { Body, Message } from './messages.ts';
import type { LedgerRecord } from './record.ts';
import { Runner } from './runner.ts';

const SUMMER_REST_MS = 1000;

/** How often, at the most, everyone is told where the others stand, while there are up to STATUS_PEOPLE. */
const STATUS_EVERY_MS = 1000;
const STATUS_PEOPLE = 100;

export interface CoordinatorOptions {
  readonly deed: FederationDeed;
  readonly transport: Transport;
  readonly summer: Summer;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

interface Guest {
  readonly link: Link;
  readonly nonce: string;
  greeted: boolean;
}

export class Coordinator extends Runner<CoordinatorState, CoordinatorEvent, CoordinatorEffect> {
  readonly #options: CoordinatorOptions;
  readonly #identity: Identity;
  readonly #work: CoordinatorWork;
  readonly #store: CoordinatorStore;
  readonly #sending = new SerialQueue();
  readonly #guests = new Map<ChannelId, Guest>();
  #sequence = 0;
  #bytes = { sent: 0, received: 0 };
  #bytesBefore = { sent: 0, received: 0 };
  #lastStatus: ReadonlyMap<string, string> = new Map();
  #statusWaits = false;

  protected constructor(
    options: CoordinatorOptions,
    identity: Identity,
    store: CoordinatorStore,
    restored: Awaited<ReturnType<typeof restoreCoordinator>>,
  ) {
    super(coordinatorMachine, restored.state, options.clock);
    this.#options = options;
    this.#identity = identity;
    this.#store = store;
    const { deed, summer, clock } = options;
    this.#work = new CoordinatorWork({
      identity,
      binding: restored.state.binding,
      plan: restored.state.plan,
      planBytes: deed.planBytes,
      secret: deed.secret,
      summer,
      store,
      records: restored.records,
      kept: () => ({ shards: Object.fromEntries(this.state.shards), excluded: this.state.excluded }),
      bytesSince: () => this.#bytesSince(),
    });
    summer.onFailure((error) => {
      this.take({ event: 'summer-failed', error });
      // After a pause: a worker that dies at once must not be started without end.
      clock.after(SUMMER_REST_MS, () => this.#reopenSummer());
    });
  }

  /** Opens a federation that was founded here, new or with rounds behind it. @throws HushError `transport/…`, `run/…`. */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
    const { deed, transport, clock, summer } = options;
    const identity = await identityFrom(deed.keyPair);
    const store = new CoordinatorStore(options.store, deed.federation);
    const { plan } = parsePlan(deed.planBytes);
    await summer.open({ plan });
    const initialModelHash = startHash(plan) ?? (await summer.load(await summer.initialModel()));
    const restored = await restoreCoordinator(await store.load(), plan, identity, initialModelHash);
    const coordinator = new this(options, identity, store, restored);
    await coordinator.#work.openSummer(restored.state.head.modelHash);
    transport.onChannel((channel) => coordinator.#welcome(channel));
    await transport.open();
    coordinator.addLog(`Open since ${new Date(clock.nowMs()).toISOString()}.`, 'info');
    coordinator.take({ event: 'timer', name: 'opened' });
    return coordinator;
  }

  #reopenSummer(): void {
    if (this.stopped) return;
    void this.settle(
      this.#work.openSummer(this.state.head.modelHash),
      () => undefined,
      (failure) => this.addLog(failure.message, 'bad'),
    );
  }

  get invite(): Invite {
    const { federation, planHash, secret, address } = this.#options.deed;
    const { admission } = this.state.plan.security;
    return { address, key: this.#identity.publicKey, planHash, federation, admission, secret };
  }

  get records(): readonly LedgerRecord[] {
    return this.#work.records;
  }

  get metrics(): readonly RoundMetrics[] {
    return this.state.metrics;
  }

  async model(): Promise<ReturnType<CoordinatorStore['model']>> {
    return this.#store.model(this.state.head.modelHash);
  }

  wish(wish: 'start' | 'pause' | 'resume'): void {
    this.take({ event: 'wish', wish });
  }

  view(): RunView {
    const { sent, received } = this.#totalBytes();
    return coordinatorView(this.state, {
      log: this.log,
      refusals: this.refusals,
      bytesUp: sent,
      bytesDown: received,
      startedMs: this.#options.deed.launchedMs,
      reachability: this.#options.transport.reachability,
      bytesReceivedFrom: (channel) => this.#guests.get(channel)?.link.bytesReceived ?? 0,
    });
  }

  override close(): void {
    if (this.stopped) return;
    this.stop();
    for (const { link } of this.#guests.values()) link.close();
    this.#options.summer.close();
    this.#options.transport.close();
  }

  protected override changed(): void {
    super.changed();
    this.#tellStatus();
  }

  protected override failedState(state: CoordinatorState, problem: ProblemView): CoordinatorState {
    return { ...state, phase: 'failed', problem };
  }

  protected override perform(effect: CoordinatorEffect): void {
    switch (effect.effect) {
      case 'send':
        return this.#send(effect.to ?? [], effect.message);
      case 'task':
        return this.#run(effect);
      case 'close': {
        const link = this.#guests.get(effect.channel)?.link;
        if (link !== undefined) void this.#sending.run(() => link.close());
        return;
      }
      case 'timer':
      case 'cancel-timer':
      case 'refused':
      case 'log':
        return this.performCommon(effect);
      default:
        effect satisfies never;
    }
  }

  #run(effect: Extract<CoordinatorEffect, { readonly effect: 'task' }>): void {
    const { task, round, about, group } = effect;
    const of = { ...(about === undefined ? {} : { about }), ...(group === undefined ? {} : { group }) };
    const address = { task, round, ...of };
    const work = this.#work[task] as (input: unknown, round: number, of: object) => Promise<unknown>;
    void this.settle(
      work.call(this.#work, effect.input, round, of),
      (output) => this.take({ event: 'done', ...address, output } as CoordinatorEvent),
      (error) => this.take({ event: 'failed', ...address, error }),
    );
  }

  /** The same bytes to each: sealed once. */
  #send(channels: readonly ChannelId[], message: Message): void {
    const links = channels.flatMap((channel) => this.#guests.get(channel)?.link ?? []);
    if (links.length === 0) return;
    const { type, round, body } = message;
    const seq = this.#sequence++;
    const to = links.length === 1 ? (links[0]?.peerId ?? null) : null;
    void this.#sending.run(async () => {
      const envelope = await sealEnvelope(this.#identity, this.state.binding, { type, round, to, seq, body });
      // Not awaited: a slow reader must not hold up the others; each link keeps its own order.
      for (const link of links) void link.send(envelope);
    });
  }

  /** Someone opened a channel: say what is spoken here, and challenge. */
  #welcome(channel: Channel): void {
    const nonce = toHex(this.#options.random.bytes(16));
    const link: Link = new Link({
      channel,
      clock: this.clock,
      binding: this.state.binding,
      own: this.#identity.id,
      peerRole: 'participant',
      handlers: {
        onMessage: (message) => this.#receive(channel.id, message),
        onRefused: (error) => {
          this.countRefusal(error.code);
          this.changed();
        },
        onClosed: (reason) => {
          this.#bytes.sent += link.bytesSent;
          this.#bytes.received += link.bytesReceived;
          this.#guests.delete(channel.id);
          this.take({ event: 'closed', channel: channel.id, reason });
        },
      },
    });
    this.#guests.set(channel.id, { link, nonce, greeted: false });
    this.#send([channel.id], { type: 'challenge', round: 0, body: { versions: [PROTOCOL_VERSION], nonce } });
  }

  #receive(channel: ChannelId, message: Message): void {
    const guest = this.#guests.get(channel);
    if (guest === undefined) return;
    if (message.type !== 'hello') {
      if (guest.greeted) this.take({ event: 'message', channel, message });
      return;
    }
    if (guest.greeted) return this.countRefusal('meeting/twice');
    this.#greet(guest, channel, message.body);
  }

  #greet(guest: Guest, channel: ChannelId, hello: Body<'hello'>): void {
    const { deed } = this.#options;
    const id = guest.link.peerId;
    const problem = helloProblem(this.state.plan, deed.secret, guest.nonce, hello);
    if (problem !== undefined || id === undefined) {
      this.countRefusal('meeting/unwelcome');
      const reason = problem ?? 'it did not say who it is';
      this.#send([channel], { type: 'unwelcome', round: 0, body: { nonce: hello.ownNonce, reason } });
      void this.#sending.run(() => guest.link.close());
      return;
    }
    guest.greeted = true;
    guest.link.greeted();
    guest.link.readUpTo(largestFromParticipantBytes(this.state.plan));
    this.take({ event: 'greeted', channel, hello, id });
  }

  /** Tells everyone in the round where the others of its group stand, when that changed, and not too often. */
  #tellStatus(): void {
    if (this.#statusWaits || this.stopped) return;
    this.#statusWaits = true;
    // The more people, the longer the pause: what is told grows with them, what is trained does not.
    const everyMs = STATUS_EVERY_MS * Math.max(1, this.state.sessions.size / STATUS_PEOPLE);
    this.clock.after(everyMs, () => {
      this.#statusWaits = false;
      const told = new Map<string, string>();
      statusesOf(this.state).forEach(({ to, ...status }, group) => {
        const key = `${status.round} ${group}`;
        const text = JSON.stringify(status);
        told.set(key, text);
        if (this.#lastStatus.get(key) !== text) this.#send(to, { type: 'status', ...status });
      });
      this.#lastStatus = told;
    });
  }

  #totalBytes(): { sent: number; received: number } {
    const total = { ...this.#bytes };
    for (const { link } of this.#guests.values()) {
      total.sent += link.bytesSent;
      total.received += link.bytesReceived;
    }
    return total;
  }

  /** Of one participant since the last call, on average. What goes up from a participant is received here. */
  #bytesSince(): { up: number; down: number } {
    const total = this.#totalBytes();
    const members = Math.max(1, this.state.current?.groupOf.size ?? this.#guests.size);
    const since = {
      up: (total.received - this.#bytesBefore.received) / members,
      down: (total.sent - this.#bytesBefore.sent) / members,
    };
    this.#bytesBefore = total;
    return since;
  }
}
