/** What must not work: links that are not what they say, links that are broken, plans with mistakes. Each is told in a sentence. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url } from '../../src/core/bytes.ts';
import type { FederationId, Hash, PublicKey } from '../../src/core/ids.ts';
import { ARCHITECTURES } from '../../src/core/modelSpec.ts';
import { encodeCbor } from '../../src/federation/cbor.ts';
import { inviteFragment, parseInvite } from '../../src/federation/invite.ts';
import type { Invite } from '../../src/federation/invite.ts';
import { launchPlan } from '../../tools/federate/tabs.ts';
import type { Tab } from '../../tools/federate/tabs.ts';
import { digitsPlanText } from './support/plan.ts';
import { openSite, reached, viewOf } from './support/site.ts';
import type { Site } from './support/site.ts';

let site: Site;
let coordinator: Tab;
let inviteLink: string;
let invite: Invite;

beforeAll(async () => {
  site = await openSite();
  coordinator = await site.open('coordinator');
  const planText = await digitsPlanText({ rounds: 2, people: 3 });
  ({ inviteLink } = await launchPlan(coordinator, site.url, planText));
  invite = parseInvite(new URL(inviteLink).hash);
});

afterAll(() => site.close());

/** As many digits, another one first. */
function other<Digits extends string>(digits: Digits): Digits {
  return `${digits.startsWith('0') ? '1' : '0'}${digits.slice(1)}` as Digits;
}

describe('a link that is not the coordinator’s', () => {
  it.each([
    [
      'another plan',
      () => ({ planHash: other<Hash>(invite.planHash) }),
      'meeting/other-plan',
      'Whoever answers runs another plan or another federation than the link names.',
    ],
    [
      'another federation',
      () => ({ federation: other<FederationId>(invite.federation) }),
      'meeting/other-plan',
      'Whoever answers runs another plan or another federation than the link names.',
    ],
    [
      'another key',
      () => ({ key: other<PublicKey>(invite.key) }),
      'meeting/other-key',
      'Whoever answers does not have the key that the link names.',
    ],
    [
      'another secret',
      () => ({ secret: new Uint8Array(16) }),
      'meeting/unwelcome',
      'The coordinator does not admit this participant: it does not have the link.',
    ],
  ] as const)('names %s: refused, for good, and the page says why', async (name, change, code, sentence) => {
    const tab = await site.open(name);
    await tab.visit(`${site.url}#${inviteFragment({ ...invite, ...change() })}`);
    await tab.join();
    const view = await reached(tab, { phase: 'refused' });
    expect(view.problem).toMatchObject({ code, message: sentence });
    expect(view.plan).toBeUndefined();

    const { page } = tab;
    const told = page.getByRole('alert');
    await told.getByText(sentence).waitFor();
    expect(await told.innerText()).toContain('This is final for this link; close the tab.');
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Not joined');
    expect(await page.getByRole('button', { name: /Join/ }).count()).toBe(0);
    await tab.close();
  });

  it('brings nobody into the federation, and the right link still does', async () => {
    expect(await viewOf(coordinator)).toMatchObject({ phase: 'waiting', people: [] });
    const tab = await site.open('invited');
    await tab.visit(inviteLink);
    await tab.join();
    await reached(tab, { phase: 'waiting' });
    await expect.poll(async () => (await viewOf(coordinator)).people.length).toBe(1);
    await tab.close();
  });
});

describe('a broken link', () => {
  let tab: Tab;

  beforeAll(async () => {
    tab = await site.open('holder of a broken link');
  });

  const fragment = (): string => new URL(inviteLink).hash.slice(1);

  it('cut in the middle: the page says what it has and what it expected, and offers another way', async () => {
    const { page } = tab;
    const cut = fragment().slice(0, fragment().length / 2);
    await page.goto(`${site.url}#${cut}`);
    await page.getByRole('heading', { name: 'This link cannot be read' }).waitFor();
    const told = await page.getByRole('alert').innerText();
    expect(told).toContain(`The invite link: "${cut.slice('join='.length, 'join='.length + 37)}..."`);
    expect(told).toContain('cannot be read, expected an unbroken link.');
    expect(told).toContain('Ask for the link again and copy all of it.');
    expect(await page.getByRole('button', { name: 'Join', exact: true }).count()).toBe(0);
    await page.getByRole('link', { name: 'Paste another link' }).click();
    await page.getByRole('heading', { name: 'Join with a link' }).waitFor();
  });

  it('of another version: the page names the field, its value and what was expected', async () => {
    const { page } = tab;
    const content = encodeCbor({ v: 2, address: invite.address });
    await page.goto(`${site.url}#join=${toBase64Url(content)}`);
    const told = page.getByRole('alert');
    await told.getByText('"v" is 2, expected version 1 of the protocol.').waitFor();
  });

  it('pasted: the same is said beside the field, and what was pasted stays', async () => {
    const { page } = tab;
    await page.goto(site.url);
    const field = page.getByLabel('Paste the link.');
    const cut = inviteLink.slice(0, -10);
    await field.fill(cut);
    await page.getByRole('button', { name: 'Read the link' }).click();
    await page.getByRole('alert').getByText('cannot be read, expected an unbroken link.').waitFor();
    expect(await field.inputValue()).toBe(cut);
    expect(await field.getAttribute('aria-invalid')).toBe('true');

    await field.fill(inviteLink);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: 'Read the link' }).click();
    await page.getByText('Nothing starts until you press Join.').waitFor();
  });
});

describe('a plan with a mistake, on the Launch screen', () => {
  let tab: Tab;
  let right: string;

  beforeAll(async () => {
    tab = await site.open('researcher');
    await tab.page.goto(`${site.url}#/launch`);
    await tab.page.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>('.card-json textarea')?.value.includes('Digits, handwritten'),
    );
    right = await tab.page.getByRole('textbox').inputValue();
  });

  it.each([
    [
      'a field that does not exist',
      '"schema": 1,',
      '"schema": 1, "colour": "green",',
      'Plan: "colour" is "green", expected no such field.',
    ],
    [
      'a field whose name is misspelt',
      '"learningRate"',
      '"learningrate"',
      'Plan: "training.learningRate" is missing, expected a number from 1e-9 to 100.',
    ],
    [
      'an unknown architecture',
      '"architecture": "mlp"',
      '"architecture": "transformer"',
      `Plan: "model.architecture" is "transformer", expected one of ${ARCHITECTURES.join(', ')}.`,
    ],
    [
      'a negative learning rate',
      '"learningRate": 0.1',
      '"learningRate": -0.1',
      'Plan: "training.learningRate" is -0.1, expected a number from 1e-9 to 100.',
    ],
    ['a comma too many', '"seed": 1', '"seed": 1,', 'The plan is not valid JSON:'],
  ])('%s is told, and the text stays', async (_what, from, to, message) => {
    const { page } = tab;
    const wrong = right.replace(from, to);
    expect(wrong).not.toBe(right);
    const editor = page.getByRole('textbox');
    await editor.fill(wrong);
    const told = page.getByRole('alert');
    await told.getByText(message).waitFor();
    expect(await editor.getAttribute('aria-invalid')).toBe('true');
    expect(await editor.getAttribute('aria-describedby')).toBe(await told.getAttribute('id'));

    // Pressed all the same, Launch goes nowhere but back to the text.
    await page.getByRole('button', { name: 'Launch', exact: true }).click();
    expect(await editor.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(new URL(page.url()).hash).toBe('#/launch');

    // Neither is it lost on another screen.
    await page.goto(`${site.url}#/`);
    await page.getByRole('heading', { name: 'Join with a link' }).waitFor();
    await page.goto(`${site.url}#/launch`);
    await page.getByRole('alert').getByText(message).waitFor();
    expect(await page.getByRole('textbox').inputValue()).toBe(wrong);
  });

  it('corrected, it can be launched', async () => {
    const { page } = tab;
    await page.getByRole('button', { name: 'Back to the offered text' }).click();
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    expect(await page.getByRole('textbox').inputValue()).toBe(right);
    await page.getByRole('button', { name: 'Launch', exact: true }).click();
    await page.getByLabel('Whoever opens this link').waitFor();
    expect(new URL(page.url()).hash).toMatch(/^#\/run\/[0-9a-f]{32}$/);
  });
});

it('no tab did what no tab may do', () => {
  expect(site.faults()).toEqual([]);
});
