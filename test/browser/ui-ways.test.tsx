/** The ways in: launch, join, try it here and stored runs, by keyboard alone where a keyboard would be used. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { FEDERATION, FRAGMENT } from '../gallery/fakeApplication.ts';
import type { Plan } from '../../src/core/plan.ts';
import { namedPlan, plan } from '../gallery/fixturePlans.ts';
import { running } from '../gallery/fixtures.ts';
import { button, clear, findButton, show } from '../gallery/stage.ts';

const title = (): string => document.querySelector('main h1')?.textContent ?? '';
const titled = (wanted: string): Promise<unknown> => vi.waitUntil(() => title() === wanted);

/** Presses Tab until the focused element's text or label is `name`. */
async function tabTo(name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await userEvent.keyboard('{Tab}');
    const focused = document.activeElement;
    if (focused?.textContent?.trim() === name || focused?.getAttribute('aria-label') === name) return;
  }
  throw new Error(`"${name}" is not reached with Tab`);
}

beforeEach(() => page.viewport(1280, 860));
afterEach(clear);

describe('home', () => {
  it('skips to the content, and reaches every way, with the keyboard', async () => {
    await show({ address: '#/', options: {} });
    await tabTo('Skip to content');
    await userEvent.keyboard('{Enter}');
    expect(document.activeElement?.id).toBe('main');
    expect(location.hash).toBe('#/');
    await tabTo('Launch a federation');
    await userEvent.keyboard('{Enter}');
    await titled('Launch a federation');
    await vi.waitUntil(() => document.activeElement?.tagName === 'H1');
  });

  it('reads a pasted link, and says under the field what is wrong with it', async () => {
    await show({ address: '#/', options: {} });
    const field = document.querySelector<HTMLInputElement>('.ways input');
    field?.focus();
    await userEvent.keyboard('https://train.example.org/{Enter}');
    await vi.waitUntil(() => field?.getAttribute('aria-invalid') === 'true');
    const described = document.getElementById(field?.getAttribute('aria-describedby') ?? '');
    expect(described?.textContent).toContain('expected it to begin with "join="');
    expect(field?.value).toBe('https://train.example.org/');
    await userEvent.fill(field!, `https://train.example.org/#${FRAGMENT}`);
    await userEvent.keyboard('{Enter}');
    await titled('Take part in a federation');
    expect(location.hash).toBe(`#${FRAGMENT}`);
  });

  it('forgets a stored run only when asked twice', async () => {
    const application = await show({ address: '#/', options: {} });
    await vi.waitUntil(() => document.querySelector('.list'));
    button('Forget').click();
    await vi.waitUntil(() => findButton('Keep'));
    expect(application.calls).toEqual([]);
    button('Forget model and ledger').click();
    await vi.waitUntil(() => document.querySelector('.list') === null);
    expect(application.calls).toEqual([`forget ${FEDERATION}`]);
  });

  it('keeps a run open while another screen is shown', async () => {
    const application = await show({ address: '#/', options: {} });
    location.hash = `/run/${FEDERATION}`;
    await titled(plan.name);
    location.hash = '/';
    await vi.waitUntil(() => document.querySelector('.list h2')?.textContent === 'Open in this tab');
    expect(application.runs[0]?.closed).toBe(false);
    location.hash = `/run/${FEDERATION}`;
    await titled(plan.name);
    expect(application.calls).toEqual([`resume ${FEDERATION}`]);
  });
});

describe('launch', () => {
  const field = (): HTMLTextAreaElement => document.querySelector('.card-json textarea')!;

  it('names field, value and expectation of a wrong plan, loses nothing, and launches a right one', async () => {
    const application = await show({ address: '#/launch', options: {} });
    const right = field().value;
    const wrong = right.replace('"rounds": 30', '"rounds": "thirty"');
    await userEvent.fill(field(), wrong);
    await vi.waitUntil(() => field().getAttribute('aria-invalid') === 'true');
    expect(document.querySelector('[role="alert"]')?.textContent).toContain(
      'Plan: "aggregation.rounds" is "thirty", expected an integer from 1 to 100000.',
    );
    button('Launch').click();
    expect(application.calls).toEqual([]);
    expect(document.activeElement).toBe(field());
    const [first, second] = document.querySelectorAll<HTMLInputElement>('.plan input');
    second?.click();
    await vi.waitUntil(() => field().value.includes('Two spirals'));
    first?.click();
    await vi.waitUntil(() => field().value === wrong);
    button('Back to the offered text').click();
    await vi.waitUntil(() => field().value === right);
    await vi.waitUntil(() => document.querySelector('.summary .facts'));
    button('Launch').click();
    await titled(plan.name);
    expect(application.calls).toEqual([`launch ${plan.name}`]);
    expect(location.hash).toBe(`#/run/${FEDERATION}`);
  });

  it('says what a masked update weighs and what the coordinator sees', async () => {
    await show({ address: '#/launch', options: {} });
    const told = document.querySelector('.summary')?.textContent?.replaceAll('\u00a0', ' ');
    expect(told).toContain('101,770');
    expect(told).toContain('243 kB from each person, each round');
    expect(told).toContain('the sum of at least 4 updates');
  });

  it('chooses who is admitted without JSON, and changes nothing else in the plan', async () => {
    const application = await show({ address: '#/launch', options: {} });
    const before = field().value;
    const choice = (name: string): HTMLInputElement =>
      [...document.querySelectorAll('label')]
        .find(({ textContent }) => textContent?.startsWith(name))!
        .querySelector('input')!;
    expect(choice('Whoever has the link').checked).toBe(true);
    choice('Whoever has the link').focus();
    await userEvent.keyboard('{ArrowDown}');
    await vi.waitUntil(() => field().getAttribute('aria-invalid') === 'true');
    expect(choice('Named people only').checked).toBe(true);
    expect(document.querySelector('[role="alert"]')?.textContent).toContain(
      'Plan: "security.names" is "0 people", expected at least aggregation.cohort.target, 8.',
    );
    const people = document.querySelector<HTMLTextAreaElement>('.people-list textarea')!;
    const lines = namedPlan.security.names.map(({ name, key }) => `${name} ${key}`).join('\n');
    await userEvent.fill(people, lines);
    await vi.waitUntil(() => document.querySelector('.summary .facts')?.textContent?.includes('named people'));
    expect(people.value).toBe(lines);
    const changed = JSON.parse(field().value) as Plan;
    expect(changed).toEqual({ ...(JSON.parse(before) as Plan), security: namedPlan.security });
    button('Launch').click();
    await titled(plan.name);
    expect(application.calls).toEqual([`launch ${plan.name}`]);
  });

  it('lets a plan be written when none is offered', async () => {
    const application = await show({ address: '#/launch', options: { plansFail: true } });
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('status 503');
    await userEvent.fill(field(), JSON.stringify({ ...plan, name: 'Mine' }));
    await vi.waitUntil(() => document.querySelector('.summary .facts'));
    button('Launch').click();
    await vi.waitUntil(() => application.calls.length === 1);
    expect(application.calls).toEqual(['launch Mine']);
  });
});

describe('join', () => {
  it('starts nothing before the button is pressed, and lists what leaves and what does not', async () => {
    const application = await show({ address: `#${FRAGMENT}`, options: {} });
    expect(application.calls).toEqual([]);
    const told = document.querySelector('.leaving')?.textContent;
    for (const part of ['masked update', 'IP address', 'train.example.org', 'engine', 'samples', 'Rows', 'Gradients']) {
      expect(told).toContain(part);
    }
    await tabTo('Join');
    await userEvent.keyboard('{Enter}');
    await titled(plan.name);
    expect(application.calls).toEqual([`join ${FRAGMENT}`]);
    expect(document.querySelector('.pill.sealed')?.textContent).toBe('sealed');
    // The pressed button is gone: the keyboard goes on from the new title.
    await vi.waitUntil(() => document.activeElement?.tagName === 'H1');
    expect(document.title).toBe(`11 of 30 rounds · ${plan.name} · hushgrad`);
    application.runs[0]?.show({ ...running, phase: 'paused' });
    await vi.waitUntil(() => document.title.startsWith('paused · '));
  });
});

describe('a named identity', () => {
  const key = (): string | undefined => document.querySelector<HTMLInputElement>('.identity input')?.value;

  it('is made on purpose on the first screen, and forgotten only when asked twice', async () => {
    const application = await show({ address: '#/', options: {} });
    expect(key()).toBeUndefined();
    await tabTo('Only if a plan is to list you');
    await userEvent.keyboard('{Enter}');
    await tabTo('Make a named identity');
    await userEvent.keyboard('{Enter}');
    await vi.waitUntil(() => key()?.length === 64);
    button('Forget this identity').click();
    await vi.waitUntil(() => findButton('Keep it'));
    button('Forget it for good').click();
    await vi.waitUntil(() => key() === undefined);
    expect(application.calls).toEqual(['make a named identity', 'forget the named identity']);
  });

  it('is asked for before joining where only named people are admitted', async () => {
    const application = await show({ address: `#${FRAGMENT}`, options: { admission: 'named' } });
    expect(document.querySelector('.facts')?.textContent).toContain('named people only');
    expect(button('Join').getAttribute('aria-disabled')).toBe('true');
    button('Join').click();
    expect(application.calls).toEqual([]);
    button('Make a named identity').click();
    await vi.waitUntil(() => button('Join').getAttribute('aria-disabled') === null);
    button('Join').click();
    await titled(plan.name);
    expect(application.calls).toEqual(['make a named identity', `join ${FRAGMENT}`]);
  });

  it('is not spoken of where others are admitted', async () => {
    await show({ address: `#${FRAGMENT}`, options: {} });
    expect(document.querySelector('.facts')?.textContent).toContain('whoever has the link');
    expect(document.querySelector('.identity')).toBeNull();
    expect(button('Join').getAttribute('aria-disabled')).toBeNull();
  });
});

describe('try it here', () => {
  it('starts four participants, changes between views with arrows, and closes one', async () => {
    const application = await show({ address: '#/', options: {} });
    await tabTo('Try it here');
    await userEvent.keyboard('{Enter}');
    await vi.waitUntil(() => document.activeElement?.tagName === 'H1' && title() === 'Try it here');
    expect(application.calls).toEqual([]);
    await tabTo('Start 4 participants');
    await userEvent.keyboard('{Enter}');
    await vi.waitUntil(() => document.querySelectorAll('[role="tab"]').length === 5);
    expect(application.calls).toEqual(['try 4']);
    document.getElementById('seat-0')?.focus();
    await userEvent.keyboard('{ArrowRight}{ArrowRight}');
    await vi.waitUntil(() => document.activeElement?.id === 'seat-2');
    expect(document.activeElement?.getAttribute('aria-selected')).toBe('true');
    await vi.waitUntil(() => document.querySelector('.round-picture .you'));
    button('Close participant 2').click();
    await vi.waitUntil(() => document.getElementById('seat-2')?.textContent?.includes('closed'));
    expect(application.runs.map(({ closed }) => closed)).toEqual([false, false, true, false, false]);
    await userEvent.keyboard('{End}');
    await vi.waitUntil(() => document.activeElement?.id === 'seat-4');
    button('End the trial').click();
    await vi.waitUntil(() => document.querySelector('[role="tablist"]') === null);
    expect(application.calls).toEqual(['try 4', 'end the trial']);
    expect(button('Start 4 participants')).toBeDefined();
  });
});

it('starts the trial from Home at one press', async () => {
  const application = await show({ address: '#/', options: {} });
  document.querySelector<HTMLButtonElement>('.ways .primary')?.click();
  await vi.waitUntil(() => document.querySelectorAll('[role="tab"]').length === 5);
  expect(application.calls).toEqual(['try 4']);
  location.hash = '/';
  await vi.waitUntil(() => findButton('End the trial'));
  button('End the trial').click();
  await vi.waitUntil(() => !findButton('End the trial'));
  expect(application.calls).toEqual(['try 4', 'end the trial']);
});

describe('colours', () => {
  it('go from the system’s to light, dark and back, and are kept', async () => {
    await show({ address: '#/', options: {} }, 'auto');
    const press = (): void => document.querySelector<HTMLButtonElement>('.theme')?.click();
    expect(document.documentElement.dataset['theme']).toBe('auto');
    press();
    expect(document.documentElement.dataset['theme']).toBe('light');
    press();
    expect(document.documentElement.dataset['theme']).toBe('dark');
    expect(localStorage.getItem('hushgrad/theme')).toBe('dark');
    press();
    expect(document.documentElement.dataset['theme']).toBe('auto');
  });
});
