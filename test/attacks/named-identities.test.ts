/**
 * Named identities: who is not on the plan's list takes no part, whatever the coordinator says; a name stands for one member of
 * a roster; and nobody learns a name where it is not asked for.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Signature } from '../../src/core/ids.ts';
import type { RunView } from '../../src/core/runView.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import type { NamedProof } from '../../src/federation/credential.ts';
import type { AdvertBody } from '../../src/federation/messages.ts';
import type { AdmissionContext } from '../../src/federation/roster.ts';
import { namedStatement } from '../../src/federation/statements.ts';
import { advertOf } from '../support/insider.ts';
import { during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, Stage } from '../support/stage.ts';

const NAMES = ['Ada', 'Ben', 'Chen', 'Dora'] as const;
const keys = await Promise.all(NAMES.map(() => createIdentity()));
const [ada, , , dora] = keys as [Identity, Identity, Identity, Identity];
const stranger = await createIdentity();

function plan(admission: 'named' | 'link', rounds = 1) {
  const names = NAMES.map((name, i) => ({ name, key: keys[i]!.publicKey }));
  const document = planDocument({ rounds });
  return { ...document, security: { mode: 'active', admission, names } };
}

let stage: Stage;
afterEach(() => stage?.close());

async function openWith(document: object, named: readonly (Identity | undefined)[]): Promise<void> {
  stage = await Stage.open(document);
  for (const identity of named) await stage.join(identity && { named: identity });
}

function namesOf({ people }: RunView): readonly string[] {
  return people.map(({ name }) => name ?? '').toSorted();
}

function context(round: number): AdmissionContext {
  const { binding } = stage.coordinator.state;
  return { binding, plan: stage.plan, secret: stage.room.deed.secret, round };
}

describe('a plan that admits named people only', () => {
  test('is trained by them, and each can name the others', async () => {
    await openWith(plan('named'), keys);
    await stage.finished();
    const told = stage.coordinator.view();
    expect(namesOf(told)).toEqual([...NAMES]);
    for (const { participant, id } of stage.actors) {
      const own = told.people.find((person) => person.id === id)?.name;
      const { group, anonymitySet } = participant.view();
      expect(group).toMatchObject({ index: 0, of: 1, members: 4 });
      expect(group?.names.toSorted()).toEqual(NAMES.filter((name) => name !== own));
      expect(anonymitySet).toBe(3);
    }
    expect(stage.coordinator.refusals).toEqual([]);
  });

  test.each<[string, () => Identity | undefined, () => string]>([
    ['who is not on the list', () => stranger, () => `the named key ${stranger.publicKey} is not on its list`],
    ['without a name', () => undefined, () => 'this tab goes by no named identity'],
  ])('says so to somebody %s, and goes on without', async (_, identity, reason) => {
    await openWith(plan('named'), keys.slice(0, 3));
    const named = identity();
    const other = await stage.join(named && { named });
    await until(other.participant, () => other.participant.view().phase === 'refused');
    expect(other.participant.view().problem).toMatchObject({
      code: 'meeting/unwelcome',
      message: expect.stringContaining(reason()),
    });
    await stage.join({ named: dora });
    await stage.finished();
    expect(counted(stage.coordinator, 'meeting/unwelcome')).toBe(1);
    expect(namesOf(stage.coordinator.view())).toEqual([...NAMES]);
  });

  test('is not the one that the link says', async () => {
    stage = await Stage.open(plan('named'));
    const misled = await stage.join({ invite: { admission: 'link' }, named: ada });
    await until(misled.participant, () => misled.participant.view().phase === 'refused');
    // The hello of a link without names says no name, so the coordinator is the first to refuse.
    expect(misled.participant.view().problem?.code).toBe('meeting/unwelcome');
    stage.close();
    stage = await Stage.open(plan('link'));
    const other = await stage.join({ invite: { admission: 'named' }, named: ada });
    await until(other.participant, () => other.participant.view().phase === 'refused');
    expect(other.participant.view().problem?.code).toBe('plan/admission');
  });
});

describe('a coordinator that slips somebody into the roster', () => {
  const outsider = stranger;
  async function proof(by: Identity, round: number, of = outsider): Promise<NamedProof> {
    const statement = namedStatement(stage.coordinator.state.binding, round, of.publicKey);
    return { key: by.publicKey, signature: await by.sign(statement) };
  }

  test.each<[string, string, () => Promise<Partial<AdvertBody>>]>([
    ['without a name', 'advert/not-named', () => Promise.resolve({})],
    [
      'with a key that is not on the list',
      'advert/not-named',
      async () => ({ named: await proof(await createIdentity(), 1) }),
    ],
    [
      'with somebody’s key and no signature of it',
      'advert/named-signature',
      async () => ({ named: { key: dora.publicKey, signature: '0'.repeat(128) as Signature } }),
    ],
    [
      'with a name’s signature of another round',
      'advert/named-signature',
      async () => ({ named: await proof(dora, 2) }),
    ],
    [
      'with a name’s signature for another person',
      'advert/named-signature',
      async () => ({ named: await proof(dora, 1, await createIdentity()) }),
    ],
    ['under a name that is in the roster already', 'roster/duplicate', async () => ({ named: await proof(ada, 1) })],
  ])('%s: all refuse, and nobody deals', async (_, code, change) => {
    stage = await Stage.open(plan('named'));
    const advert = await advertOf(outsider, context(1), await change());
    const slip = telling('roster', (body) => ({ ...body, adverts: [...body.adverts, advert] }));
    stage.coordinator.lies = [...stage.coordinator.lies, during(1, slip)];
    for (const named of keys) await stage.join({ named });
    expect(await stage.refusals(1)).toEqual(NAMES.map(() => code));
    await stage.finished();
    for (const { participant } of stage.actors) expect(participant.journal.saidOf('share', 1)).toEqual([]);
  });

  test('by taking the name out of an advert: its owner’s signature does not hold any more', async () => {
    stage = await Stage.open(plan('link'));
    const strip = telling('roster', (body) => ({
      ...body,
      adverts: body.adverts.map(({ named: _named, ...advert }) => advert),
    }));
    stage.coordinator.lies = [...stage.coordinator.lies, during(1, strip)];
    for (const named of keys) await stage.join({ named });
    expect(await stage.refusals(1)).toEqual(NAMES.map(() => 'advert/signature'));
    await stage.finished();
  });
});

describe('a name', () => {
  test('that two tabs go by is in a round once', async () => {
    await openWith(plan('link'), [ada, ada, undefined, undefined]);
    await stage.finished();
    expect(counted(stage.coordinator, 'round/advert')).toBeGreaterThan(0);
    const rosters = stage.coordinator.journal.saidOf('roster').map(({ body }) => body.adverts);
    expect(rosters.length).toBeGreaterThan(0);
    for (const adverts of rosters) {
      expect(adverts.filter(({ named }) => named?.key === ada.publicKey)).toHaveLength(1);
    }
  });

  test('is counted where anyone with the link takes part, beside those who have none', async () => {
    await openWith(plan('link'), [ada, dora, undefined, undefined]);
    await stage.finished();
    const nameable = stage.actors.map(({ participant }) => participant.view().group?.names.toSorted());
    expect(nameable.map((names) => names?.join() ?? '').toSorted()).toEqual(['Ada', 'Ada,Dora', 'Ada,Dora', 'Dora']);
  });

  test('is not shown where the plan does not list it', async () => {
    await openWith(planDocument({ rounds: 1 }), [ada, dora, undefined, undefined]);
    await stage.finished();
    const heard = stage.coordinator.journal.heardOf('advert');
    expect(heard.length).toBeGreaterThanOrEqual(4);
    expect(heard.filter(({ body }) => body.named !== undefined)).toEqual([]);
    expect(stage.coordinator.view().people.flatMap(({ name }) => name ?? [])).toEqual([]);
  });
});
