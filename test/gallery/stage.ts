/** Puts one screen on the page for a test, and takes it off again. */
import { render } from 'preact';
import { vi } from 'vitest';
import { mountApplication } from '../../src/ui/mount.tsx';
import { theme } from '../../src/ui/theme.ts';
import type { Theme } from '../../src/ui/theme.ts';
import { fakeApplication } from './fakeApplication.ts';
import type { Exhibit, FakeApplication } from './fakeApplication.ts';
import { NOW } from './fixtures.ts';

/** Beside other work a screen that loads something takes more than the second that vitest waits. */
const PATIENT = { timeout: 20_000 };

const realNow = Date.now;
let root: HTMLElement | undefined;

/** Undefined while there is none. */
export function findButton(name: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll('button')].find(({ textContent }) => textContent?.trim() === name);
}

export function button(name: string): HTMLButtonElement {
  const found = findButton(name);
  if (!found) throw new Error(`no button "${name}"`);
  return found;
}

export async function show(exhibit: Omit<Exhibit, 'name'>, colours: Theme = 'light'): Promise<FakeApplication> {
  clear();
  Date.now = () => NOW;
  history.replaceState(null, '', exhibit.address);
  root = document.createElement('div');
  document.body.append(root);
  const application = fakeApplication(exhibit.options);
  mountApplication(root, application);
  theme.value = colours;
  const { press } = exhibit;
  await vi.waitUntil(() => document.querySelector('main h1'), PATIENT);
  for (const label of [...(press === undefined ? [] : [press]), ...(exhibit.next ?? [])]) {
    (await vi.waitUntil(() => findButton(label), PATIENT)).click();
  }
  await settled(exhibit);
  return application;
}

/** What the screen loads has come, and the button that is pressed has done its work. */
async function settled({ press, address, options }: Omit<Exhibit, 'name'>): Promise<void> {
  await document.fonts.ready;
  await vi.waitUntil(() => {
    const title = document.querySelector('main h1')?.textContent ?? '';
    const pressed = press === undefined || !findButton(press);
    const planWanted = address === '#/launch' && options.plansAfter === undefined;
    const planRead = !planWanted || document.querySelector('.summary .facts, .plans .note') !== null;
    return !title.startsWith('Taking') && pressed && planRead && document.getAnimations().length === 0;
  }, PATIENT);
}

export function clear(): void {
  if (!root) return;
  render(null, root);
  root.remove();
  root = undefined;
  Date.now = realNow;
}
