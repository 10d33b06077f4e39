/** "Try it here", as somebody meets it who only opened the server's link: one page, no other host, a model at the end. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { percent } from '../../src/ui/format.ts';
import type { Tab } from '../../tools/federate/tabs.ts';
import { openSite, viewOf } from './support/site.ts';
import type { Here, Site } from './support/site.ts';

interface Watched extends Here {
  violations: string[];
  iceServers: unknown[];
}

/** Long enough for ten rounds of five workers on two cores. */
const RUN_MS = 120_000;

let site: Site;
let tab: Tab;

beforeAll(async () => {
  site = await openSite();
  tab = await site.open('visitor');
  await tab.page.addInitScript(() => {
    const here = globalThis as unknown as Watched;
    here.violations = [];
    here.iceServers = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      here.violations.push(`${effectiveDirective}: ${blockedURI}`),
    );
    // STUN and TURN servers are other hosts too, and no request shows when one is asked.
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration: RTCConfiguration = {}) {
        super(configuration);
        here.iceServers.push(...(configuration.iceServers ?? []));
      }
    };
  });
});

afterAll(() => site.close());

it('the page is isolated, and its policy allows no other host', async () => {
  const response = await tab.page.goto(site.url);
  const policy = response?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).not.toMatch(/https?:|unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|\*/);
  expect(await tab.page.evaluate(() => crossOriginIsolated)).toBe(true);
});

it('one press trains a model to the end, in this page', { timeout: RUN_MS + 10_000 }, async () => {
  const { page } = tab;
  await page.getByRole('button', { name: 'Try it here', exact: true }).click();
  await page.getByRole('tab', { name: 'coordinator finished' }).waitFor({ timeout: RUN_MS });
  await page.getByText('All 10 rounds are done.').first().waitFor();

  const views = await page.evaluate(() => (globalThis as unknown as Here).hushgrad.views());
  expect(views.map(({ role }) => role)).toEqual(['coordinator', ...Array<string>(4).fill('participant')]);
  const [coordinator] = views;
  const accuracy = coordinator?.curve.at(-1)?.testAccuracy ?? 0;
  expect(accuracy).toBeGreaterThanOrEqual(0.9);
  expect(coordinator?.ledger).toMatchObject({ records: 11, abandoned: 0 });
  // Four people, of whom one is oneself, and the coordinator in the same page counts as one who sees more.
  expect(views.map(({ anonymitySet, knownColluders }) => [anonymitySet, knownColluders])).toEqual(
    Array.from({ length: 5 }, () => [2, 1]),
  );

  const figure = page.locator('dl.figures > div', { hasText: 'test accuracy' });
  expect(await figure.locator('dt').innerText()).toMatch(/^test accuracy, 4\s*people’s data,\s*2,000\s*samples$/);
  expect(await figure.locator('dd').innerText()).toBe(percent(accuracy));
});

it('everybody ends with the same model, and can see that', async () => {
  const { page } = tab;
  await page.getByRole('tab', { name: /^participant 1 / }).click();
  await page.getByText('All rounds are done. The model is yours to save.').first().waitFor();
  await page.waitForFunction(() => {
    const views = (globalThis as unknown as Here).hushgrad.views();
    return views.every(({ phase, modelHash }) => phase === 'finished' && modelHash === views[0]?.modelHash);
  });
  await page.getByRole('button', { name: 'Save files' }).first().click();
  const [download] = await Promise.all([
    page.waitForEvent('download', { predicate: (file) => file.suggestedFilename() === 'weights.bin', timeout: 10_000 }),
    page.getByRole('button', { name: 'Save model.json and weights.bin' }).click(),
  ]);
  const digest = createHash('sha256').update(await readFile(await download.path()));
  const view = await viewOf(tab);
  expect(digest.digest('hex')).toBe(view.modelHash);
});

it('the model can be tried, by a participant and by the coordinator', async () => {
  const { page } = tab;
  for (const seat of [/^participant 1 /, /^coordinator /i]) {
    await page.getByRole('tab', { name: seat }).click();
    await page.getByRole('button', { name: 'Try it', exact: true }).click();
    await page.getByRole('button', { name: 'Next held-out example' }).click();
    await page.getByText(/^It is of the class “\d”\.$/).waitFor();
    expect(await page.locator('.answer-classes li').count()).toBe(10);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
  }
});

it('nothing went wrong and no other host was asked', async () => {
  const { violations, iceServers } = await tab.page.evaluate(() => {
    const { violations, iceServers } = globalThis as unknown as Watched;
    return { violations, iceServers };
  });
  expect(site.faults()).toEqual([]);
  expect(violations).toEqual([]);
  expect(iceServers).toEqual([]);
});

it('had something been wrong, it would have been seen', async () => {
  const { page } = tab;
  await page.evaluate(() => {
    new Image().src = 'https://elsewhere.invalid/from-the-page';
  });
  await page.waitForFunction(() => (globalThis as unknown as Watched).violations.length > 0);
  // Helper threads of the engine wait for their kernels and answer nothing; they fetch nothing either.
  const working = () => page.workers().filter((worker) => /(mask|train)\.worker/.test(worker.url()));
  // The browser takes its time until the coordinator's worker that tried the model is gone.
  await expect.poll(() => working().length, { timeout: 10_000 }).toBe(5);
  const workers = working();
  for (const worker of workers) {
    await worker.evaluate(() => fetch('https://elsewhere.invalid/from-a-worker').catch(() => undefined));
  }
  await expect
    .poll(() => site.faults())
    .toEqual(
      expect.arrayContaining([
        expect.stringContaining("'https://elsewhere.invalid/from-the-page' violates"),
        expect.stringMatching(/mask\.worker.*: connect-src https:\/\/elsewhere\.invalid\/from-a-worker$/),
        expect.stringMatching(/train\.worker.*: connect-src https:\/\/elsewhere\.invalid\/from-a-worker$/),
      ]),
    );
});
