/** Trying the model, by keyboard and by pointer: what is asked of it, and how its answers are shown and told. */
import { afterEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { FRAGMENT } from '../gallery/fakeApplication.ts';
import type { FakeApplication } from '../gallery/fakeApplication.ts';
import { triedRuns } from '../gallery/fixtureTry.ts';
import { button, clear, findButton, show } from '../gallery/stage.ts';

afterEach(clear);

const open = async (kind: string): Promise<FakeApplication> => {
  await page.viewport(1280, 860);
  const participant = triedRuns[kind]!;
  return show({ address: `#${FRAGMENT}`, options: { participant }, press: 'Join', next: ['Try it'] });
};
const calls = ({ runs }: FakeApplication): readonly string[] => runs[0]?.calls ?? [];
const told = (): string => document.querySelector('.card-try .answer [role="status"]')?.textContent ?? '';

it('takes a drawing when the pointer is lifted, and clears it', async () => {
  const application = await open('drawing');
  const paper = document.querySelector('canvas.drawing')!;
  const { left, top } = paper.getBoundingClientRect();
  const point = (type: string, x: number, y: number): void => {
    paper.dispatchEvent(
      new PointerEvent(type, { clientX: left + x, clientY: top + y, pointerId: 1, bubbles: true, isPrimary: true }),
    );
  };
  // A made-up pointer cannot be captured.
  paper.setPointerCapture = () => undefined;
  point('pointerdown', 60, 60);
  point('pointermove', 200, 200);
  point('pointerup', 200, 200);
  await vi.waitUntil(() => told().includes('Most probable: 7, 93'));
  expect(calls(application)).toEqual(['draw 280 true']);
  expect(document.querySelectorAll('.answer-classes li')).toHaveLength(10);
  expect(document.querySelector('.seen')?.textContent).toContain('28 × 28 pixels');
  button('Clear').click();
  await vi.waitUntil(() => document.querySelector('.answer-classes') === null);
});

it('goes through examples that were held out, and closes what it opened', async () => {
  const application = await open('drawing');
  await vi.waitUntil(() => document.activeElement?.className === 'try-area');
  await userEvent.tab();
  await userEvent.tab();
  await userEvent.tab();
  expect(document.activeElement?.textContent).toBe('Next held-out example');
  await userEvent.keyboard('{Enter}');
  await vi.waitUntil(() => told() === 'Most probable: 7, 93.1\u00a0%. It is of the class 7.');
  await userEvent.keyboard('{Enter}');
  await vi.waitUntil(() => calls(application).length === 2);
  button('Close').click();
  await vi.waitUntil(() => findButton('Try it'));
  expect(calls(application)).toEqual(['held out 0', 'held out 1', 'close the trial of the model']);
});

it('asks for a row by the form of the plan, and says what is missing', async () => {
  const application = await open('row');
  await userEvent.fill(page.getByLabelText('body_mass_g'), '4950');
  await userEvent.keyboard('{Enter}');
  await vi.waitUntil(() => document.querySelector('.card-try [role="alert"]'));
  expect(document.querySelector('.card-try [role="alert"]')?.textContent).toContain('"island" is empty');
  await userEvent.selectOptions(page.getByLabelText('island'), 'Biscoe');
  button('Ask for “species”').click();
  await vi.waitUntil(() => told().startsWith('Most probable: Gentoo'));
  expect(calls(application)).toEqual(['row body_mass_g=4950', 'row body_mass_g=4950 island=Biscoe']);
});

it('writes on after a prompt', async () => {
  const application = await open('text');
  await userEvent.fill(page.getByLabelText('How the text begins'), 'Fellow citizens,');
  await userEvent.fill(page.getByLabelText('Tokens, at most 2000'), '50');
  await userEvent.tab();
  button('Write on').click();
  await vi.waitUntil(() => document.querySelector('.written')?.textContent?.startsWith('Fellow citizens, And now'));
  expect(calls(application)).toEqual(['write 50 at 0.8 after Fellow citizens,']);
});
