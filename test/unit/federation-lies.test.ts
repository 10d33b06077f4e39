/** A coordinator and participants that lie, put to the pure machines message by message. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { ChannelId, FederationId, Hash, ParticipantId, PublicKey } from '../../src/core/ids.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { coordinatorMachine } from '../../src/federation/coordinatorMachine.ts';
import { initialCoordinator } from '../../src/federation/coordinatorState.ts';
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState } from '../../src/federation/coordinatorState.ts';
import { emptyHead } from '../../src/federation/ledger.ts';
import { PROTOCOL_VERSION } from '../../src/federation/messages.ts';
import type { Message } from '../../src/federation/messages.ts';
import { participantMachine } from '../../src/federation/participantMachine.ts';
import { initialParticipant } from '../../src/federation/participantState.ts';
import type { ParticipantEffect, ParticipantState } from '../../src/federation/participantState.ts';
import { planDocument } from '../support/planDocument.ts';

const hashOf = (digit: string): Hash => digit.repeat(64) as Hash;
const idOf = (digit: string): ParticipantId => digit.repeat(32) as ParticipantId;
const KEY = 'ab'.repeat(32) as PublicKey;
const BINDING = { federation: 'cd'.repeat(16) as FederationId, planHash: hashOf('e') };
const { plan } = parsePlan(utf8(JSON.stringify(planDocument({ rounds: 3 }))));
const HEAD = emptyHead(BINDING, KEY, hashOf('1'));
const OWN = idOf('a');
const MEMBERS = ['a', 'b', 'c', 'd'].map((digit) => ({
  id: idOf(digit),
  publicKey: KEY,
  boxKey: KEY,
  maskKey: KEY,
  name: undefined,
  namedKey: undefined,
}));
const ROSTER = { round: 5, rosterRoot: hashOf('2'), members: MEMBERS, threshold: 3, place: undefined };

/** In round 5, its shares delivered, the verified model in the trainer. */
function delivered(change: Partial<ParticipantState> = {}): ParticipantState {
  return {
    ...initialParticipant(OWN, BINDING, KEY, 5),
    phase: 'waiting',
    plan,
    head: HEAD,
    wantedHead: HEAD.recordHash,
    modelHash: HEAD.modelHash,
    trainer: 'ready',
    welcome: {
      version: PROTOCOL_VERSION,
      nonce: '0'.repeat(32),
      shard: 0,
      records: 0,
      head: HEAD.recordHash,
      round: 5,
      finished: false,
    },
    rounds: {
      5: {
        number: 5,
        step: 'delivered',
        roster: ROSTER,
        u1: MEMBERS.map(({ id }) => id),
        u1Root: hashOf('3'),
        stepSinceMs: 0,
      },
    },
    ...change,
  };
}

function tell(
  state: ParticipantState,
  message: Message,
): { readonly state: ParticipantState; readonly effects: readonly ParticipantEffect[] } {
  return participantMachine(state, { event: 'message', message }, 0);
}

function tasks(effects: readonly (ParticipantEffect | CoordinatorEffect)[]): readonly string[] {
  return effects.flatMap((effect) => (effect.effect === 'task' ? [effect.task] : []));
}

const begin = { kind: 'train', modelHash: HEAD.modelHash, completed: 0, deadlineMs: 1000 } as const;

describe('a participant', () => {
  test('trains on the model that the verified ledger ends in', () => {
    expect(tasks(tell(delivered(), { type: 'begin', round: 5, body: begin }).effects)).toEqual(['train']);
  });

  test.each([
    ['another model', {}, { modelHash: hashOf('9') }],
    ['a model that was planted in the trainer', { modelHash: hashOf('9') }, { modelHash: hashOf('9') }],
    ['a round that was completed before', {}, { completed: 1 }],
  ])('does not train on %s', (_name, state, body) => {
    const after = tell(delivered(state), { type: 'begin', round: 5, body: { ...begin, ...body } });
    expect(tasks(after.effects)).not.toContain('train');
  });

  test('does not train beyond the plan', () => {
    const over = delivered({ head: { ...HEAD, completed: 3 } });
    const after = tell(over, { type: 'begin', round: 5, body: { ...begin, completed: 3 } });
    expect(after.state.rounds[5]?.step).toBe('dead');
    expect(after.effects).toContainEqual(
      expect.objectContaining({
        message: expect.objectContaining({
          type: 'refuse',
          body: expect.objectContaining({ code: 'round/beyond-plan' }),
        }),
      }),
    );
  });

  test.each([
    ['of one person', { members: 1, survivors: 1 }],
    ['below the quorum', { members: 4, survivors: 2 }],
    ['on another model', { modelHash: hashOf('9') }],
  ])('does not follow a sum %s', (_name, body) => {
    const result = {
      kind: 'train',
      modelHash: HEAD.modelHash,
      members: 4,
      survivors: 3,
      packedSum: new Uint8Array(1),
      ...body,
    } as const;
    expect(tasks(tell(delivered({ rounds: {} }), { type: 'result', round: 9, body: result }).effects)).toEqual([]);
  });

  test('follows a sum of a round that it is not in, and signs nothing for it', () => {
    const result = {
      kind: 'train',
      modelHash: HEAD.modelHash,
      members: 4,
      survivors: 3,
      packedSum: new Uint8Array(1),
    } as const;
    const followed = tell(delivered({ rounds: {} }), { type: 'result', round: 9, body: result });
    expect(tasks(followed.effects)).toEqual(['apply']);
    const none = { lossSum: 0, correct: 0, samples: 0 };
    const output = {
      sumHash: hashOf('4'),
      modelHashAfter: hashOf('5'),
      totalWeight: 1,
      figures: { training: none, validation: none, test: none },
    };
    const applied = participantMachine(followed.state, { event: 'done', task: 'apply', round: 9, output }, 0);
    expect(tasks(applied.effects)).toEqual([]);
  });

  test('survives a list of survivors before it knows the plan', () => {
    const early = delivered({ plan: undefined, rounds: {} });
    const after = tell(early, { type: 'survivors', round: 5, body: { survivors: [] } });
    expect(after.effects).toContainEqual({ effect: 'refused', code: 'round/unexpected-survivors' });
  });

  test('keeps a live round when its call is repeated, and refuses one at or below its guard', () => {
    const call = { type: 'call', body: { deadlineMs: 1000 } } as const;
    const repeated = tell(delivered({ guard: 4 }), { ...call, round: 5 });
    expect(repeated.state.rounds[5]?.step).toBe('delivered');
    const old = tell(delivered({ rounds: {} }), { ...call, round: 5 });
    expect(old.effects).toContainEqual(
      expect.objectContaining({
        message: expect.objectContaining({ type: 'refuse', body: expect.objectContaining({ guardRound: 5 }) }),
      }),
    );
  });

  test('takes no item but the one that it asked for', () => {
    const asking = delivered({ modelHash: undefined, fetching: { what: 'model', hash: hashOf('1') } });
    const body = { what: 'model', hash: hashOf('9'), content: new Uint8Array(4) } as const;
    const after = tell(asking, { type: 'item', round: 0, body });
    expect(tasks(after.effects)).toEqual([]);
    expect(after.effects).toContainEqual({ effect: 'refused', code: 'sync/unasked' });
  });

  test('leaves when the record of a round is not that of the round that it was in', async () => {
    const { HushError } = await import('../../src/core/errors.ts');
    const error = new HushError('ledger/contradiction', "The record's u2Root is not what this participant saw.");
    const after = participantMachine(delivered(), { event: 'failed', task: 'checkRecord', round: 5, error }, 0);
    expect(after.state).toMatchObject({ phase: 'refused', problem: { code: 'ledger/contradiction' } });
  });
});

describe('a coordinator', () => {
  function open(people: number): CoordinatorState {
    let state = initialCoordinator({
      own: idOf('0'),
      ownKey: KEY,
      binding: BINDING,
      plan,
      head: HEAD,
      finished: false,
      nextRound: 1,
      unsealed: [],
      shards: {},
      metrics: [],
      curve: [],
      excluded: [],
    });
    for (let i = 0; i < people; i++) state = greet(state, i).state;
    return state;
  }

  const hello = {
    versions: [PROTOCOL_VERSION],
    publicKey: KEY,
    nonce: '0'.repeat(32),
    ownNonce: '1'.repeat(32),
    credential: hashOf('0'),
  };
  const take = (state: CoordinatorState, event: CoordinatorEvent, nowMs = 0) => coordinatorMachine(state, event, nowMs);
  const greet = (state: CoordinatorState, i: number) =>
    take(state, { event: 'greeted', channel: `channel ${i}` as ChannelId, hello, id: idOf(String(i + 1)) });

  test('gives no number away to a guard that nobody can have', () => {
    const state = open(3);
    const body = { code: 'round/replayed', reason: 'no', guardRound: 2 ** 48 };
    const after = take(state, {
      event: 'message',
      channel: 'channel 0' as ChannelId,
      message: { type: 'refuse', round: 1, body },
    });
    expect(after.state.sessions.values()[0]?.guardRound).toBe(0);
  });

  test('gives each its own shard, and the same again when it comes back', () => {
    const state = open(4);
    const shards = state.sessions.values().map(({ shard }) => shard);
    expect(new Set(shards)).toEqual(new Set([0, 1, 2, 3]));
    const gone = take(state, { event: 'closed', channel: 'channel 2' as ChannelId, reason: 'test' }).state;
    const back = greet(gone, 2).state;
    expect(back.sessions.values().find(({ id }) => id === idOf('3'))?.shard).toBe(2);
  });

  function ready(state: CoordinatorState, i: number): CoordinatorState {
    const body = { phase: 'ready', fraction: 0, engine: 'cpu', samples: 100, trainMs: 0 } as const;
    const channel = `channel ${i}` as ChannelId;
    return take(state, { event: 'message', channel, message: { type: 'progress', round: 0, body } }).state;
  }

  test('calls nobody for the first round who still gets ready, which would be taken off its time to train', () => {
    let state = take(open(4), { event: 'wish', wish: 'start' }).state;
    for (const i of [0, 1]) state = ready(state, i);
    expect(state.upcoming).toBeUndefined();
    expect(state.preparing).toBe(2);
    const left = take(state, { event: 'closed', channel: 'channel 3' as ChannelId, reason: 'test' }).state;
    expect(left.preparing).toBe(1);
    expect(greet(left, 3).state.preparing).toBe(2);
    state = ready(state, 2);
    expect(state.upcoming?.number).toBe(1);
    const { effects } = take(state, { event: 'done', task: 'mark', round: 1, output: undefined });
    const called = effects.flatMap((effect) =>
      effect.effect === 'send' && effect.message.type === 'call' ? effect.to : [],
    );
    expect(called).toEqual(['channel 0', 'channel 1', 'channel 2']);
  });

  test('calls again under a higher number when too few send keys', () => {
    let state = [0, 1, 2, 3].reduce(ready, open(4));
    state = take(state, { event: 'wish', wish: 'start' }).state;
    expect(state.upcoming?.number).toBe(1);
    state = take(state, { event: 'done', task: 'mark', round: 1, output: undefined }).state;
    const { effects, state: after } = take(state, { event: 'timer', name: 'step 1' }, 30_000);
    expect(after.upcoming?.number).toBe(2);
    expect(effects).toContainEqual(
      expect.objectContaining({ message: expect.objectContaining({ type: 'abandon', round: 1 }) }),
    );
  });

  test('answers one question of a participant at a time', () => {
    const ask: CoordinatorEvent = {
      event: 'message',
      channel: 'channel 0' as ChannelId,
      message: { type: 'fetch', round: 0, body: { what: 'model', hash: hashOf('1') } },
    };
    const first = take(open(1), ask);
    expect(tasks(first.effects)).toEqual(['item']);
    expect(tasks(take(first.state, ask).effects)).toEqual([]);
  });
});
