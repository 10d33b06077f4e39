/** A person's own files: chosen, judged and accepted by keyboard alone, and every state of the card. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { FRAGMENT } from '../gallery/fakeApplication.ts';
import type { FakeApplication } from '../gallery/fakeApplication.ts';
import { choosingRun, ownFilesStates } from '../gallery/fixtureFiles.ts';
import { clear, show } from '../gallery/stage.ts';

beforeEach(() => page.viewport(1280, 860));
afterEach(clear);

async function showFiles(state: string): Promise<FakeApplication> {
  const ownFiles = ownFilesStates[state]!;
  const options = { participant: choosingRun(ownFiles), ownFiles };
  const application = await show({ address: `#${FRAGMENT}`, options, press: 'Join' });
  await vi.waitUntil(() => document.querySelector('.card-files'));
  return application;
}

const text = (selector: string): string =>
  document.querySelector(selector)?.textContent?.replaceAll('\u00a0', ' ') ?? '';

function labelled(label: string): HTMLInputElement {
  const found = [...document.querySelectorAll('label')].find((element) => element.textContent === label);
  const input = found?.querySelector('input');
  if (!input) throw new Error(`no input "${label}"`);
  return input;
}

/** Presses Tab until `is` holds of the focused element. */
async function tabTo(is: (element: Element) => boolean): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await userEvent.keyboard('{Tab}');
    if (document.activeElement && is(document.activeElement)) return;
  }
  throw new Error('It is not reached with Tab');
}

describe('by keyboard alone', () => {
  it('files are chosen, judged, kept and accepted', async () => {
    const { runs } = await showFiles('empty');
    const calls = runs[0]!.calls;
    await tabTo((element) => element === labelled('Choose files'));
    await tabTo((element) => element === labelled('Choose a folder'));
    expect(labelled('Choose files').multiple).toBe(true);
    expect(labelled('Choose a folder').webkitdirectory).toBe(true);
    // The browser's own dialogue cannot be driven: what it does is give the input files.
    await userEvent.upload(labelled('Choose files'), new File(['island\n'], 'torgersen.csv'));
    await vi.waitUntil(() => document.querySelector('.found'));
    expect(calls).toEqual(['add torgersen.csv']);
    expect(text('[role="status"]:not(:empty)')).not.toBe('');
    await tabTo((element) => element.textContent === 'Remove field notes');
    await userEvent.keyboard('{Enter}');
    await vi.waitUntil(() => document.querySelectorAll('.files-added li').length === 1);
    expect(document.activeElement?.textContent).toBe('Your files');
    await tabTo((element) => element.getAttribute('aria-label') === 'What was refused');
    await tabTo((element) => element.matches('.check input'));
    await userEvent.keyboard(' ');
    await tabTo((element) => (element.textContent ?? '').startsWith('Train on'));
    await userEvent.keyboard('{Enter}');
    await vi.waitUntil(() => text('.card-files').includes('in this browser'));
    expect(document.activeElement?.textContent).toBe('Your files');
    await tabTo((element) => element.textContent === 'Forget them');
    await userEvent.keyboard('{Enter}');
    expect(calls).toEqual(['add torgersen.csv', 'remove 2', 'accept and keep', 'forget']);
  });
});

it('are forgotten from the first screen too', async () => {
  const application = await show({ address: '#/', options: { filesKept: true } });
  const forget = (): HTMLElement | undefined =>
    [...document.querySelectorAll('button')].find(({ textContent }) => textContent?.startsWith('Forget them'));
  await vi.waitUntil(forget);
  expect(document.querySelector('main')?.textContent).toContain('Penguins, by island');
  forget()?.click();
  await vi.waitUntil(() => forget() === undefined);
  expect(application.calls.map((call) => call.slice(0, 12))).toEqual(['forget files']);
});

it('takes files that are dropped on it', async () => {
  const { runs } = await showFiles('empty');
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['island\n'], 'dream.csv'));
  const zone = document.querySelector('.drop-zone')!;
  zone.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true }));
  await vi.waitUntil(() => zone.classList.contains('over'));
  const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
  zone.dispatchEvent(drop);
  expect(drop.defaultPrevented).toBe(true);
  await vi.waitUntil(() => runs[0]?.calls.length);
  expect(runs[0]?.calls).toEqual(['add dream.csv']);
  expect(zone.classList.contains('over')).toBe(false);
});

describe('the card', () => {
  it('shows counts, refusals with their place, and rows as they will be trained', async () => {
    await showFiles('table');
    expect(text('.found > p')).toBe('141 examples can be trained on, of 146 rows.');
    const bars = [...document.querySelectorAll('.by-class li')];
    expect(bars.map(({ textContent }) => textContent)).toEqual(['Adelie92', 'Chinstrap49', 'Gentoo0']);
    expect(bars.map((bar) => Number(bar.querySelector('rect')?.getAttribute('width')))).toEqual([
      100,
      (100 * 49) / 92,
      0,
    ]);
    const cells = (row: string): readonly (string | null)[] =>
      [...document.querySelectorAll(`${row} > *`)].map(({ textContent }) => textContent);
    expect(cells('[aria-label="What was refused"] tbody tr:nth-child(2)')).toEqual([
      'torgersen.csv',
      '48',
      'island',
      '"Torgerson"',
      'one of Biscoe, Dream, Torgersen',
    ]);
    expect(cells('[aria-label="First examples"] tbody tr:first-child')).toEqual([
      '2',
      'Torgersen0 0 1',
      '39.1-0.89',
      '3750-0.56',
      'female0 1 0',
      'Adelie',
    ]);
  });

  it('draws images as they will be trained', async () => {
    await showFiles('images');
    const pictures = [...document.querySelectorAll<HTMLCanvasElement>('.preview-images canvas')];
    expect(pictures).toHaveLength(12);
    await vi.waitUntil(() => pictures[1]?.getContext('2d')?.getImageData(0, 0, 1, 1).data[0] === 24);
    expect([...pictures[0]!.getContext('2d')!.getImageData(0, 0, 1, 1).data]).toEqual([240, 240, 240, 255]);
    expect(pictures[1]?.getAttribute('aria-label')).toBe('cross, cross/1.png');
  });

  it('can be stopped while it reads, and takes nothing meanwhile', async () => {
    const { runs } = await showFiles('reading');
    expect(labelled('Add more files').disabled).toBe(true);
    expect(document.querySelector('progress')?.value).toBeCloseTo(31 / 48.3, 5);
    const stop = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Stop reading');
    stop?.click();
    document.querySelector<HTMLButtonElement>('.files-accept .primary')?.click();
    expect(runs[0]?.calls).toEqual(['stop reading']);
  });
});
