/** What was signed, sealed or dealt for one federation, plan, round or purpose and is shown in another: refused. */
import { afterEach, describe, expect, test } from 'vitest';
import type { FederationId, Hash, Signature } from '../../src/core/ids.ts';
import { createIdentity, identityFrom, verifySignature } from '../../src/crypto/identity.ts';
import type { Binding } from '../../src/federation/messages.ts';
import { confirmationStatement, consistencyStatement, dealingStatement } from '../../src/federation/statements.ts';
import { confirmationSeenBy, rosterOf } from '../support/insider.ts';
import { claiming } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { frameOf, rawEnvelope } from '../support/rawEnvelope.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

type Elsewhere = (binding: Binding, round: number) => readonly [Binding, number];
const ELSEWHERE: readonly (readonly [string, Elsewhere])[] = [
  ['another federation', (binding, round) => [{ ...binding, federation: 'ab'.repeat(16) as FederationId }, round]],
  ['another plan', (binding, round) => [{ ...binding, planHash: 'ab'.repeat(32) as Hash }, round]],
  ['another round', (binding, round) => [binding, round + 1]],
];

/** In round 1 the first who comes says `type` as `change` makes it; the others go on without it. */
async function withLiar(prepare: (liar: Actor) => void): Promise<Actor> {
  stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
  const liar = await stage.join();
  prepare(liar);
  await stage.joinAll(4);
  await stage.recorded(1);
  return liar;
}

describe.each(ELSEWHERE)('signed for %s', (_name, elsewhere) => {
  const bindingHere = () => stage.coordinator.state.binding;

  // Nothing but where it is for is wrong with what is signed: signed for here, it is what an honest member says.
  let honest: Promise<Signature> | undefined;
  let said: Signature | undefined;
  afterEach(async () => {
    expect(await honest).toBe(said);
    expect(said).toBeDefined();
  });

  test('shares are refused, counted and named', async () => {
    const liar = await withLiar((actor) => {
      actor.participant.lies = [
        claiming('share', (body, round) => {
          if (round !== 1) return body;
          const { rosterRoot } = rosterOf(actor, 1);
          const dealing = { ...body, dealer: actor.id };
          honest = actor.identity.sign(dealingStatement(bindingHere(), 1, rosterRoot, dealing));
          said = body.signature;
          const statement = dealingStatement(...elsewhere(bindingHere(), 1), rosterRoot, dealing);
          void actor.identity
            .sign(statement)
            .then((signature) => actor.participant.say('share', 1, { ...body, signature }));
          return undefined;
        }),
      ];
    });
    expect(counted(stage.coordinator, 'round/share')).toBe(1);
    expect(logged(stage.coordinator, liar.id, 'round/share')).toBe(true);
    expect(stage.coordinator.records[0]!.body.status).toBe('complete');
  });

  test('an agreement counts for nothing, is counted and named', async () => {
    const liar = await withLiar(({ participant, identity }) => {
      participant.lies = [
        claiming('agree', (body, round) => {
          if (round !== 1) return body;
          const tuple = participant.state.rounds[1]!.tuple!;
          honest = identity.sign(consistencyStatement(bindingHere(), 1, tuple));
          said = body.signature;
          const statement = consistencyStatement(...elsewhere(bindingHere(), 1), tuple);
          void identity.sign(statement).then((signature) => participant.say('agree', 1, { signature }));
          return undefined;
        }),
      ];
    });
    expect(counted(stage.coordinator, 'round/agreement')).toBe(1);
    expect(logged(stage.coordinator, liar.id, 'round/agreement')).toBe(true);
    expect(stage.coordinator.records[0]!.body.status).toBe('complete');
  });

  test('a confirmation counts for nothing, is counted and named', async () => {
    const liar = await withLiar((actor) => {
      actor.participant.lies = [
        claiming('confirm', (body, round) => {
          if (round !== 1) return body;
          const confirmation = confirmationSeenBy(actor, 1);
          honest = actor.identity.sign(confirmationStatement(bindingHere(), 1, confirmation));
          said = body.signature;
          const statement = confirmationStatement(...elsewhere(bindingHere(), 1), confirmation);
          void actor.identity
            .sign(statement)
            .then((signature) => actor.participant.say('confirm', 1, { ...body, signature }));
          return undefined;
        }),
      ];
    });
    expect(counted(stage.coordinator, 'round/confirmation')).toBe(1);
    expect(logged(stage.coordinator, liar.id, 'round/confirmation')).toBe(true);
    expect(stage.coordinator.records[0]!.body.status).toBe('complete');
  });
});

describe('an envelope', () => {
  test.each<[string, string, (binding: Binding) => Binding]>([
    [
      'of another federation',
      'codec/binding',
      (binding) => ({ ...binding, federation: 'ab'.repeat(16) as FederationId }),
    ],
    ['of another plan', 'codec/binding', (binding) => ({ ...binding, planHash: 'ab'.repeat(32) as Hash })],
  ])('%s is dropped and counted on both sides; the round goes on', async (_name, code, change) => {
    stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
    const { coordinator } = stage;
    const identity = await identityFrom(stage.room.deed.keyPair);
    const binding = change(coordinator.state.binding);
    const up = (actor: Actor) =>
      rawEnvelope(actor.identity, binding, { type: 'leave', round: 0, seq: 2 ** 40, body: { reason: 'left' } });
    await stage.joinAll(3);
    await stage.greeted();
    const down = await rawEnvelope(identity, binding, {
      type: 'end',
      round: 0,
      seq: 2 ** 40,
      body: { reason: 'over' },
    });
    for (const wire of stage.wires().down) await wire.send(frameOf(down));
    for (const [i, guest] of stage.room.guests.entries()) {
      const actor = stage.actors.find(({ id }) => id === guest.identity.id)!;
      await stage.wires().up[i]!.send(frameOf(await up(actor)));
    }
    await stage.finished();
    expect(counted(coordinator, code)).toBe(3);
    for (const { participant } of stage.actors) expect(counted(participant, code)).toBe(1);
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });
});

test('a signature over one tuple is none over a tuple that differs in any field', async () => {
  const identity = await createIdentity();
  const binding = { federation: 'ab'.repeat(16) as FederationId, planHash: 'cd'.repeat(32) as Hash };
  const hash = (digit: string) => digit.repeat(64) as Hash;
  const tuple = {
    rosterRoot: hash('1'),
    u1Root: hash('2'),
    u2Root: hash('3'),
    modelHash: hash('4'),
    sumSpecHash: hash('5'),
  };
  const signature: Signature = await identity.sign(consistencyStatement(binding, 1, tuple));
  expect(await verifySignature(identity.publicKey, signature, consistencyStatement(binding, 1, tuple))).toBe(true);
  for (const field of Object.keys(tuple)) {
    const other = consistencyStatement(binding, 1, { ...tuple, [field]: hash('6') });
    expect(await verifySignature(identity.publicKey, signature, other), field).toBe(false);
  }
});
