/** How much of its time this machine gives, and which engine it trains with: set by keyboard, kept, and told to the run. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { share } from '../../src/ui/share.ts';
import { FRAGMENT } from '../gallery/fakeApplication.ts';
import type { FakeApplication } from '../gallery/fakeApplication.ts';
import { engine } from '../gallery/fixturePlans.ts';
import { running } from '../gallery/fixtures.ts';
import { participantStates } from '../gallery/fixtureStates.ts';
import { button, clear, findButton, show } from '../gallery/stage.ts';

const slider = (): HTMLInputElement | null => document.querySelector('input[type="range"]');
const text = (selector: string): string =>
  (document.querySelector(selector)?.textContent ?? '').replaceAll('\u00a0', ' ').trim();
const participant = (): Promise<FakeApplication> =>
  show({ address: `#${FRAGMENT}`, options: { participant: running }, press: 'Join' });

beforeEach(() => page.viewport(1280, 860));
afterEach(() => {
  clear();
  Reflect.deleteProperty(navigator, 'getBattery');
  localStorage.removeItem('hushgrad/share');
  share.value = 100;
});

describe('the share of this machine’s time', () => {
  it('is set in steps of ten by keyboard, reaches the run at once, and stands beside the speed', async () => {
    const application = await participant();
    const told = (): readonly string[] => application.runs[0]?.calls ?? [];
    expect(told()).toEqual([]);
    expect(text('.card-engine .facts')).toContain('41,000 samples/sMeasured');
    expect(slider()?.labels?.[0]?.textContent).toBe('Share of this machine’s time');
    slider()?.focus();
    await userEvent.keyboard('{ArrowLeft}');
    await userEvent.keyboard('{ArrowLeft}');
    await vi.waitUntil(() => text('.share output') === '80 %');
    expect(told()).toEqual(['share 90', 'share 80']);
    expect(slider()?.getAttribute('aria-valuetext')?.replaceAll('\u00a0', ' ')).toBe('80 %');
    await vi.waitUntil(() => text('.card-engine .facts').includes('41,000 samples/s while it works, at 80 %'));
    expect(text('.pills')).toContain('41,000 samples/s at 80 %');
    await userEvent.keyboard('{Home}');
    await vi.waitUntil(() => text('.share output') === '10 %');
    await userEvent.keyboard('{ArrowLeft}');
    expect(told().at(-1)).toBe('share 10');
  });

  it('is asked for before joining, kept for the next visit, and given to a run that begins', async () => {
    await show({ address: `#${FRAGMENT}`, options: {} });
    slider()?.focus();
    for (let i = 0; i < 5; i++) await userEvent.keyboard('{ArrowDown}');
    await vi.waitUntil(() => text('.share output') === '50 %');
    clear();
    // As a new page begins, until it has looked at what was kept.
    const keptShare = localStorage.getItem('hushgrad/share');
    expect(keptShare).toBe('50');
    const application = await participant();
    expect(slider()?.value).toBe('50');
    expect(application.runs[0]?.calls).toEqual(['share 50']);
    localStorage.setItem('hushgrad/share', 'half');
    await participant();
    expect(slider()?.value).toBe('100');
  });

  it('says that the device runs on its battery, while it does', async () => {
    const battery = Object.assign(new EventTarget(), { charging: false });
    Object.defineProperty(navigator, 'getBattery', { configurable: true, value: () => Promise.resolve(battery) });
    await participant();
    await vi.waitUntil(() => text('.share .hint').includes('runs on its battery'));
    battery.charging = true;
    battery.dispatchEvent(new Event('chargingchange'));
    await vi.waitUntil(() => !text('.share .hint').includes('battery'));
    expect(slider()?.value).toBe('100');
  });
});

describe('the engine', () => {
  it('says when it was measured, and is measured again on request', async () => {
    const application = await participant();
    expect(text('.card-engine .facts')).toContain('Measured21 Nov 2026');
    button('Measure again').click();
    expect(application.runs[0]?.calls).toEqual(['measureAgain']);
    await vi.waitUntil(() => findButton('Measuring')?.getAttribute('aria-disabled') === 'true');
    button('Measuring').click();
    expect(application.runs[0]?.calls).toHaveLength(1);
    const atMs = Date.UTC(2026, 10, 23, 12);
    application.runs[0]?.show({
      ...running,
      engine: { ...engine, measured: { atMs, machine: 'a browser', referenceMs: 40 } },
    });
    await vi.waitUntil(() => findButton('Measure again'));
    expect(text('.card-engine .facts')).toContain('Measured23 Nov 2026');
  });

  it('has nothing to set once the run is over', async () => {
    await show({
      address: `#${FRAGMENT}`,
      options: { participant: participantStates['finished']! },
      press: 'Join',
    });
    expect(text('.card-engine .facts')).toContain('WebGPU');
    expect(slider()).toBeNull();
    expect(findButton('Measure again')).toBeUndefined();
  });
});
