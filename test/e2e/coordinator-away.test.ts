/** Tabs that go away in the middle and come back: the coordinator's, and a participant's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInvite } from '../../src/federation/invite.ts';
import type { RoundMetrics } from '../../src/federation/coordinatorState.ts';
import type { LedgerRecord } from '../../src/federation/record.ts';
import { launchPlan } from '../../tools/federate/tabs.ts';
import type { Tab } from '../../tools/federate/tabs.ts';
import { jsonLines, verifiedHead } from './support/evidence.ts';
import { digitsPlanText } from './support/plan.ts';
import { filesOf, openSite, reached, viewOf } from './support/site.ts';
import type { Site } from './support/site.ts';

const ROUNDS = 16;
const PEOPLE = 4;
const AWAY = 'The coordinator cannot be reached. Your data and the last model are kept';

let site: Site;
let planText: string;
let coordinator: Tab;
let federation: string;
let inviteLink: string;
const guests: Tab[] = [];
/** The ledger when the coordinator's page was closed. */
let recordsBefore: readonly LedgerRecord[];

beforeAll(async () => {
  site = await openSite();
  planText = await digitsPlanText({ rounds: ROUNDS, people: PEOPLE });
  coordinator = await site.open('coordinator');
  ({ federation, inviteLink } = await launchPlan(coordinator, site.url, planText));
  for (let i = 1; i <= PEOPLE; i++) {
    const guest = await site.open(`participant ${i}`);
    guests.push(guest);
    await guest.visit(inviteLink);
    await guest.join('compiled-wasm');
  }
});

afterAll(() => site.close());

async function recordsOf(tab: Tab): Promise<readonly LedgerRecord[]> {
  return jsonLines<LedgerRecord>((await filesOf(tab)).ledger);
}

function survived(records: readonly LedgerRecord[], id: string | undefined): readonly number[] {
  return records
    .filter(({ sheets }) => sheets.some(({ survivors }) => survivors.some((other) => other === id)))
    .map(({ body }) => body.round);
}

describe.sequential('when the coordinator’s page is closed', () => {
  it('every participant says so, and keeps the model', async () => {
    await reached(coordinator, { phase: 'running', completed: 3 });
    recordsBefore = await recordsOf(coordinator);
    // The page alone: what the browser keeps for this person stays.
    await coordinator.page.close();
    for (const guest of guests) {
      const { modelHash, you } = await reached(guest, { phase: 'coordinator-away' });
      await guest.page.getByText(AWAY).first().waitFor();
      // Rounds may have ended between the ledger that was read and the closing.
      expect(modelHash).toMatch(/^[0-9a-f]{64}$/);
      expect(modelHash).not.toBe(recordsBefore[0]?.body.modelHashBefore);
      expect(survived(recordsBefore, you).length).toBeGreaterThan(0);
    }
  });

  it('opened again, it goes on from the last completed round', async () => {
    coordinator = await site.reopen(coordinator);
    await coordinator.page.goto(`${site.url}#/run/${federation}`);
    await reached(coordinator, { phase: 'running', completed: recordsBefore.length + 2 });
    await coordinator.page.getByText(`of ${ROUNDS}.`).first().waitFor();
    const records = await recordsOf(coordinator);
    expect(records.slice(0, recordsBefore.length)).toEqual(recordsBefore);
    for (const guest of guests) {
      await reached(guest, { phase: 'running' });
      // What is read out follows the sentence by some seconds.
      await guest.page.locator('p.sentence:visible', { hasText: AWAY }).waitFor({ state: 'detached' });
      await guest.page.getByRole('alert').waitFor({ state: 'detached' });
    }
  });
});

describe.sequential('when a participant’s page is reloaded', () => {
  it('it is the same participant again, and takes part from a later round on', async () => {
    const [guest] = guests;
    const before = await reached(guest!, { phase: 'running', round: 1 });
    await guest!.page.reload();
    // Nothing starts by itself: joining is asked for again.
    await guest!.page.getByText('Nothing starts until you press Join.').waitFor();
    expect(await guest!.view()).toBeUndefined();
    await guest!.page.getByRole('button', { name: 'Join', exact: true }).click();
    const after = await reached(guest!, { round: (before.round?.number ?? 0) + 1 });
    expect(after.you).toBe(before.you);
    expect(after.federation).toBe(before.federation);
  });
});

describe.sequential('at the end', () => {
  it('all rounds are done, and the ledger is one chain', async () => {
    const end = await reached(coordinator, { phase: 'finished' });
    await coordinator.page.getByText(`All ${ROUNDS} rounds are done.`).first().waitFor();
    const records = await recordsOf(coordinator);
    const head = await verifiedHead(planText, records);
    expect(head).toMatchObject({ completed: ROUNDS, modelHash: end.modelHash, recordHash: end.ledger.head });
    expect(records[0]?.body.coordinatorKey).toBe(parseInvite(new URL(inviteLink).hash).key);
    // Metrics go on where they were, with no round twice and none missing.
    const metrics = jsonLines<RoundMetrics>((await filesOf(coordinator)).metrics);
    const complete = records.filter(({ body }) => body.status === 'complete');
    expect(metrics.map(({ round }) => round)).toEqual(complete.map(({ body }) => body.round));
    expect(end.curve.at(-1)?.testAccuracy).toBeGreaterThanOrEqual(0.85);
  });

  it('everybody took part to the end, and holds the same model', async () => {
    const records = await recordsOf(coordinator);
    const { modelHash } = await viewOf(coordinator);
    for (const guest of guests) {
      const view = await reached(guest, { phase: 'finished', modelHash });
      const rounds = survived(records, view.you);
      expect(rounds[0]).toBe(1);
      expect(rounds.at(-1)).toBe(records.at(-1)?.body.round);
    }
    expect(site.faults()).toEqual([]);
  });
});
