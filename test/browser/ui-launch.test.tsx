/** What is written on the Launch screen stays, whatever comes when: offered plans, a second answer, a press before the reading. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Plan } from '../../src/core/plan.ts';
import { fakeApplication } from '../gallery/fakeApplication.ts';
import type { FakeApplication, FakeOptions } from '../gallery/fakeApplication.ts';
import { namedPlan, plan, spiralPlan } from '../gallery/fixturePlans.ts';
import { button, clear, findButton, show } from '../gallery/stage.ts';

const MINE = JSON.stringify({ ...plan, name: 'Mine' });

const field = (): HTMLTextAreaElement => document.querySelector('.card-json textarea')!;
const people = (): HTMLTextAreaElement => document.querySelector('.people-list textarea')!;
const summary = (): string => document.querySelector('.summary')?.textContent ?? '';

function choice(name: string): HTMLInputElement | undefined {
  const labels = [...document.querySelectorAll('label.plan')];
  const label = labels.find(({ textContent }) => textContent?.startsWith(name));
  return label?.querySelector('input') ?? undefined;
}

/** At the caret, as keys and the clipboard do. */
function typeInto(into: HTMLTextAreaElement, text: string): void {
  into.focus();
  into.setRangeText(text, into.selectionStart, into.selectionEnd, 'end');
  into.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

/** What one event changes is on the page before the next event, and effects have not run. */
const drawn = (): Promise<void> => Promise.resolve();

/** Every effect of what is on the page now has run. */
function painted(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
  });
}

interface Late {
  readonly application: FakeApplication;
  /** The offered plans come. */
  readonly arrive: () => Promise<void>;
}

async function showLate(options: FakeOptions = {}): Promise<Late> {
  let release = (): void => undefined;
  const plansAfter = new Promise<void>((resolve) => (release = resolve));
  const application = await show({ address: '#/launch', options: { ...options, plansAfter } });
  return {
    application,
    async arrive() {
      release();
      await vi.waitUntil(() => choice(plan.name));
      await painted();
    },
  };
}

async function launches(application: FakeApplication, name: string): Promise<void> {
  await vi.waitUntil(() => document.querySelector('.summary .facts'));
  button('Launch').click();
  await vi.waitUntil(() => application.calls.length > 0);
  expect(application.calls).toEqual([`launch ${name}`]);
}

beforeEach(() => page.viewport(1280, 860));
afterEach(clear);

describe('plans that come late', () => {
  it('leave alone what was typed before they came', async () => {
    const { application, arrive } = await showLate();
    typeInto(field(), MINE);
    field().blur();
    await arrive();
    expect(field().value).toBe(MINE);
    expect(choice('Written here')?.checked).toBe(true);
    await launches(application, 'Mine');
  });

  it('put nothing under the caret, where it would be joined to what is pasted next', async () => {
    const { application, arrive } = await showLate();
    field().focus();
    await arrive();
    expect(field().value).toBe('');
    expect(summary()).toContain('No plan yet.');
    typeInto(field(), MINE);
    expect(field().value).toBe(MINE);
    await vi.waitUntil(() => choice('Named people only'));
    expect(choice('Whoever has the link')?.checked).toBe(true);
    await launches(application, 'Mine');
  });

  it('fill the field in once the caret has left it empty', async () => {
    const { application, arrive } = await showLate();
    field().focus();
    await arrive();
    typeInto(field(), 'x');
    await painted();
    field().select();
    typeInto(field(), '');
    await painted();
    expect(choice('Written here')).toBeUndefined();
    field().blur();
    await vi.waitUntil(() => choice(plan.name)?.checked);
    expect(JSON.parse(field().value)).toEqual(plan);
    await launches(application, plan.name);
  });

  it('leave a plan alone that was chosen in the moment in which they came', async () => {
    const { arrive } = await showLate();
    const pressed = new Promise<void>((done) => {
      const look = new MutationObserver(() => {
        const second = choice(spiralPlan.name);
        if (!second) return;
        look.disconnect();
        second.click();
        done();
      });
      look.observe(document.body, { childList: true, subtree: true });
    });
    await arrive();
    await pressed;
    expect(choice(spiralPlan.name)?.checked).toBe(true);
    expect(JSON.parse(field().value)).toEqual(spiralPlan);
  });

  it('leave alone what was typed while they had failed', async () => {
    const application = await show({ address: '#/launch', options: { plansFail: true } });
    typeInto(field(), MINE);
    field().blur();
    application.offeredPlans = () => fakeApplication().offeredPlans();
    button('Try again').click();
    await vi.waitUntil(() => choice(plan.name));
    await painted();
    expect(field().value).toBe(MINE);
    await launches(application, 'Mine');
  });
});

it('keeps a plan of one’s own while others are looked at, and while another screen is shown', async () => {
  const { application, arrive } = await showLate();
  typeInto(field(), MINE);
  await arrive();
  choice(plan.name)?.click();
  await vi.waitUntil(() => choice(plan.name)?.checked && field().value !== MINE);
  choice('Written here')?.click();
  await vi.waitUntil(() => field().value === MINE);
  location.hash = '/';
  await vi.waitUntil(() => findButton('Make a named identity'));
  location.hash = '/launch';
  await vi.waitUntil(() => choice('Written here'));
  await painted();
  expect(field().value).toBe(MINE);
  await launches(application, 'Mine');
});

it('takes the model of a file into the text, and says of another file what is wrong with it', async () => {
  await show({ address: '#/launch', options: {} });
  const input = document.querySelector<HTMLInputElement>('.card-json input[type=file]')!;
  const modelFile = (activation: string): File => {
    const config = { name: 'last', units: 10, activation, batch_input_shape: [null, 784] };
    const modelTopology = { class_name: 'Sequential', config: { layers: [{ class_name: 'Dense', config }] } };
    return new File([JSON.stringify({ modelTopology })], 'model.json');
  };
  await userEvent.upload(input, modelFile('selu'));
  await vi.waitUntil(() => document.querySelector('.card-json .note'));
  expect(document.querySelector('.card-json .note')?.textContent).toContain('“model.json”: Layer "last" (Dense)');
  expect(JSON.parse(field().value)).toEqual(plan);
  await userEvent.upload(input, modelFile('softmax'));
  await vi.waitUntil(() => summary().includes('(layers)'));
  const { model, ...rest } = JSON.parse(field().value) as Plan;
  expect(model).toMatchObject({ architecture: 'layers', loss: 'softmax-cross-entropy' });
  expect(rest).toEqual({ ...plan, model: undefined });
  expect(document.querySelector('.card-json .note')).toBeNull();
});

it('launches nothing older than what the field says', async () => {
  const application = await show({ address: '#/launch', options: {} });
  field().select();
  typeInto(field(), MINE);
  await drawn();
  button('Launch').click();
  expect(application.calls).toEqual([]);
  await launches(application, 'Mine');
});

it('shows the people whom the text lists, at once, whoever changed it', async () => {
  const { names } = namedPlan.security;
  const offered: readonly Plan[] = [plan, { ...namedPlan, name: 'Named' }];
  await show({ address: '#/launch', options: { offered } });
  const own = 'Ada  ABC';
  typeInto(people(), own);
  await drawn();
  expect(people().value).toBe(own);
  expect((JSON.parse(field().value) as Plan).security.names).toEqual([{ name: 'Ada', key: 'abc' }]);
  choice('Named')?.click();
  await drawn();
  expect(people().value).toBe(names.map(({ name, key }) => `${name} ${key}`).join('\n'));
  expect(choice('Named people only')?.checked).toBe(true);
  choice(plan.name)?.click();
  await drawn();
  expect(people().value).toBe(own);
});
