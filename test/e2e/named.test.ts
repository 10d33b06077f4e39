/** Named people only, in real tabs: keys made on the first screen, a list written on the Launch screen, a stranger outside. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { parseInvite } from '../../src/federation/invite.ts';
import type { Tab } from '../../tools/federate/tabs.ts';
import { verifyRun } from '../../tools/verify/verifyRun.ts';
import { digitsPlanText } from './support/plan.ts';
import { filesOf, openSite, reached, viewOf } from './support/site.ts';
import type { Site } from './support/site.ts';

const NAMES = ['Ada Lovelace', 'Ben Okri', 'Chen Jingrun'] as const;
const RUN_MS = 120_000;

let site: Site;
let researcher: Tab;
let people: Tab[];
let link: string;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site.close());

async function makeKey({ page }: Tab): Promise<string> {
  await page.goto(site.url);
  await page.getByText('Only if a plan is to list you').click();
  await page.getByRole('button', { name: 'Make a named identity' }).click();
  const field = page.getByLabel('Your public key, for whoever writes the plan');
  await field.waitFor();
  return field.inputValue();
}

it('each makes a key once, and keeps it when the tab is loaded again', async () => {
  people = await Promise.all(NAMES.map((name) => site.open(name)));
  const keys = await Promise.all(people.map(makeKey));
  expect(new Set(keys).size).toBe(3);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/);
  const [first] = people;
  await first?.page.reload();
  await first?.page.getByText('This browser has a named identity').click();
  expect(await first?.page.getByLabel('Your public key, for whoever writes the plan').inputValue()).toBe(keys[0]);

  researcher = await site.open('researcher');
  const { page } = researcher;
  await page.goto(`${site.url}#/launch`);
  await page
    .getByRole('textbox', { name: 'Its hash is in the link' })
    .fill(await digitsPlanText({ people: 3, rounds: 1 }));
  await page.getByRole('radio', { name: 'Named people only' }).check();
  await page
    .getByRole('textbox', { name: 'One person a line' })
    .fill(NAMES.map((name, i) => `${name} ${keys[i]}`).join('\n'));
  await page.getByText('3\u00a0named people, nobody else').waitFor();
  await page.getByRole('button', { name: 'Launch', exact: true }).click();
  link = await page.getByLabel('Whoever opens this link').inputValue();
  expect(parseInvite(new URL(link).hash).admission).toBe('named');
});

it('a stranger is told before joining, and refused with the reason', async () => {
  const stranger = await site.open('stranger');
  const { page } = stranger;
  await page.goto(link);
  await page.getByText('this browser has no named identity').waitFor();
  expect(await page.getByRole('button', { name: 'Join', exact: true }).getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('button', { name: 'Make a named identity' }).click();
  await page.getByRole('button', { name: 'Join', exact: true, disabled: false }).click();
  await page.getByText('only people whom the plan lists take part').first().waitFor();
  expect((await viewOf(stranger))?.phase).toBe('refused');
  await stranger.close();
});

it('those who are listed train, can name each other, and leave a run that verifies', { timeout: RUN_MS }, async () => {
  for (const tab of people) {
    await tab.visit(link);
    await tab.join();
  }
  const told = await reached(researcher, { phase: 'finished' });
  expect(told.people.flatMap(({ name }) => name ?? []).toSorted()).toEqual([...NAMES]);
  for (const [i, tab] of people.entries()) {
    await tab.page.getByText(/You can name 2 of them: /).waitFor();
    const { group, anonymitySet, knownColluders } = (await viewOf(tab)) ?? {};
    expect(group?.names.toSorted()).toEqual(NAMES.filter((_, other) => other !== i));
    expect([anonymitySet, knownColluders]).toEqual([2, 0]);
  }
  const files = await filesOf(researcher);
  await researcher.page.getByRole('button', { name: 'Save files' }).first().click();
  const [planFile] = await Promise.all([
    researcher.page.waitForEvent('download', { timeout: 10_000 }),
    researcher.page.getByRole('button', { name: 'Save plan.json' }).click(),
  ]);
  const { key, federation } = parseInvite(new URL(link).hash);
  const verdict = await verifyRun(
    {
      'plan.json': await readFile(await planFile.path()),
      'ledger.jsonl': utf8(files.ledger),
      'weights.bin': files.weights,
      'model.json': utf8(files.modelJson),
      'metrics.jsonl': utf8(files.metrics),
    },
    { key, federation },
  );
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({ ok: true, rounds: 1, participants: 3 });
  expect(site.faults()).toEqual([]);
});
