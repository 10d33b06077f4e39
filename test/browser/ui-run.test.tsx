/** The dashboard: the picture's words match the state, the chart's table the data, and the buttons do what they say. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { FEDERATION, FRAGMENT } from '../gallery/fakeApplication.ts';
import type { FakeApplication } from '../gallery/fakeApplication.ts';
import { NOW, coordinating, running } from '../gallery/fixtures.ts';
import { coordinatorStates, participantStates } from '../gallery/fixtureStates.ts';
import { button, clear, findButton, show } from '../gallery/stage.ts';

const text = (selector: string): string =>
  (document.querySelector(selector)?.textContent ?? '').replaceAll('\u00a0', ' ').trim();
const texts = (selector: string): readonly string[] =>
  [...document.querySelectorAll(selector)].map(({ textContent }) =>
    (textContent ?? '').replaceAll('\u00a0', ' ').trim(),
  );

const coordinator = (state: string): Promise<FakeApplication> =>
  show({ address: `#/run/${FEDERATION}`, options: { coordinator: coordinatorStates[state] ?? coordinating } });
const participant = (state: string): Promise<FakeApplication> =>
  show({ address: `#${FRAGMENT}`, options: { participant: participantStates[state] ?? running }, press: 'Join' });

beforeEach(() => page.viewport(1280, 860));
afterEach(() => {
  vi.useRealTimers();
  clear();
});

describe('the round’s picture', () => {
  it('says in words what it shows', async () => {
    await participant('running');
    expect(document.querySelector('.round-picture')?.getAttribute('aria-label')?.replaceAll('\u00a0', ' ')).toBe(
      'Round 12, step “masked”: 5 of 8 masked updates have arrived, 6 are needed. 21 pairwise masks, 10 of them with both ends sent.',
    );
    const told = texts('.card-round ul li');
    expect(told).toHaveLength(8);
    expect(told[0]).toBe('You: masked, sent');
    expect(told.filter((line) => line.endsWith('masked, sent'))).toHaveLength(5);
    expect(told.filter((line) => line.endsWith(': left'))).toHaveLength(1);
    expect(text('.centre-figure')).toBe('5 / 8');
    expect(document.querySelectorAll('.stroke')).toHaveLength(5);
    expect(document.querySelectorAll('.round-picture .state-gone')).toHaveLength(1);
    const chords = (selector: string): number =>
      (document.querySelector(selector)?.getAttribute('d') ?? '').split('M').length - 1;
    expect(chords('.chords path:not(.pending)')).toBe(10);
    expect(chords('.chords .pending')).toBe(11);
  });

  it('follows the state: unmasked fades the chords, 200 people are dots', async () => {
    const application = await coordinator('running');
    expect(document.querySelector('.chords.faded')).toBeNull();
    const round = coordinating.round!;
    application.runs[0]?.show({ ...coordinating, round: { ...round, unmasked: true, step: 'unmask' } });
    await vi.waitUntil(() => document.querySelector('.chords.faded'));
    expect(text('.centre-unit')).toBe('summed');
    application.runs[0]?.show(coordinatorStates['many']!);
    await vi.waitUntil(() => document.querySelectorAll('.round-picture .state').length === 200);
    expect(document.querySelectorAll('.round-picture .name')).toHaveLength(0);
    expect(texts('.card-round ul li')).toHaveLength(4);
  });

  it('names the current step for those who do not see the bar', async () => {
    await participant('training');
    expect(text('.steps [aria-current="step"]')).toBe('train, 80 %');
  });
});

describe('in whose company', () => {
  it('says how well an update hides and whom one can name, and lists who is admitted', async () => {
    await participant('named');
    expect(texts('.card-trust p')[0]).toContain('hides among 5 to 7 others. You can name 7 of them: Ben Okri');
    expect(text('.card-trust .facts')).toBe('Admitted9 named people, nobody else');
    document.querySelector<HTMLElement>('.card-trust summary')?.click();
    const listed = texts('.card-trust .names li > span:first-child');
    expect(listed).toHaveLength(9);
    expect(listed.filter((name) => name.endsWith(', in this round'))).toHaveLength(8);
    expect(texts('.people th[scope="row"]').slice(1, 3)).toEqual(['Chen JingrunWebAssembly', 'Ben OkriWebGPU']);
    expect(texts('.round-picture .name')).toContain('Dorothy');
  });

  it('draws masks within groups only', async () => {
    await coordinator('grouped');
    const label = document.querySelector('.round-picture')?.getAttribute('aria-label')?.replaceAll('\u00a0', ' ');
    expect(label).toMatch(
      /^Round 12, step “masked”: 144 of 184 .* within 12 groups, [\d,]+ of them with both ends sent\.$/,
    );
    expect(texts('.card-trust p')[0]).toBe('This round has 12 groups; 1 lost, without their sum.');
  });

  it('names culprits, and tells refusals by reason in words', async () => {
    const application = await coordinator('named');
    expect(texts('.card-trust .names')[1]).toContain('Ingrid Daubechies');
    expect(texts('.card-ledger .counts dt')).toEqual(['wrong signature', 'a masked update out of turn']);
    application.runs[0]?.show({ ...coordinating, refusals: [{ reason: 'advert/not-named', count: 4 }] });
    await vi.waitUntil(() => texts('.card-ledger .counts dt').length === 1);
    expect(text('.card-ledger .counts')).toBe('keys of somebody who is not on the list of names4');
  });
});

describe('learning', () => {
  it('has every figure of the chart in its table', async () => {
    await participant('running');
    document.querySelector<HTMLElement>('.card-learning summary')?.click();
    const rows = [...document.querySelectorAll('.card-learning tbody tr')].map((row) =>
      [...row.children].map(({ textContent }) => Number.parseFloat((textContent ?? '').replace(',', ''))),
    );
    expect(rows).toEqual(
      running.curve.map((point) => [
        point.round,
        Number((point.validationAccuracy! * 100).toFixed(1)),
        Number((point.testAccuracy! * 100).toFixed(1)),
        point.people,
        point.samples,
      ]),
    );
    const drawn = document.querySelector('.line-test polyline')?.getAttribute('points')?.split(' ');
    expect(drawn).toHaveLength(running.curve.length);
  });

  it('changes to loss by keyboard', async () => {
    await participant('running');
    document.querySelector<HTMLElement>('.choice input:checked')?.focus();
    await userEvent.keyboard('{ArrowRight}');
    await vi.waitUntil(() => document.querySelector('.line-training'));
    expect(texts('.card-learning thead th')).toEqual(['Round', 'training', 'validation', 'test', 'people', 'samples']);
    expect(document.querySelector('.chart svg')?.getAttribute('aria-label')).toContain('test loss from 2.302 to 0.231');
  });
});

describe('what a model is judged by', () => {
  it('is its first figure, with the people and samples behind it, and the own score is told apart', async () => {
    await participant('values');
    expect(texts('.card-learning dt').slice(0, 2)).toEqual([
      'validation mean absolute error of “grams”, 8 people’s data, 800 samples',
      'validation R²',
    ]);
    expect(texts('.card-learning dd').slice(0, 2)).toEqual(['298', '0.838']);
    expect(text('.own')).toBe(
      'Your data: mean absolute error of “grams” 301, loss 0.213 on the 100 samples kept aside in this tab, after 11 rounds. Shown to you alone.',
    );
    expect(document.querySelector('.card-classes')).toBeNull();
    await coordinator('running');
    expect(document.querySelector('.own')).toBeNull();
  });

  it('of many classes has every cell under its two names, and scores that follow from them', async () => {
    await participant('classes');
    const { plan, curve } = participantStates['classes']!;
    const classes = plan?.task.kind === 'classification' ? plan.task.classes : [];
    const counts = curve.at(-1)?.validationCounts;
    const cells = counts?.kind === 'classes' ? counts.cells : [];
    const rows = [...document.querySelectorAll('.matrix tbody tr')];
    expect(texts('.matrix thead th')).toEqual(['is', ...classes]);
    expect(rows.map((row) => row.querySelector('th')?.textContent)).toEqual(classes);
    const shown = rows.flatMap((row) => [...row.querySelectorAll('td')].map(({ textContent }) => textContent));
    expect(shown.map((cell) => Number(cell?.replace(',', '')))).toEqual(cells);
    document.querySelector<HTMLElement>('.card-classes summary')?.click();
    const first = [...document.querySelectorAll('.card-classes details tbody tr')][0];
    const recall = (100 * cells[0]!) / 1200;
    expect(first?.children[2]?.textContent?.replaceAll('\u00a0', ' ')).toBe(`${recall.toFixed(1)} %`);
  });
});

describe('the sentence', () => {
  it('counts down once a second, and is read out without the count', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await participant('running');
    expect(text('.sentence')).toBe('Round 12 of 30. Waiting for 2 of 8 masked updates, 9 s at the most.');
    const tickTo = async (nowMs: number, shown: string): Promise<void> => {
      Date.now = () => nowMs;
      await vi.waitUntil(() => {
        vi.advanceTimersByTime(1000);
        return text('.sentence').includes(`, ${shown} at the most.`);
      });
    };
    await tickTo(NOW + 2000, '7 s');
    expect(text('.run-head [role="status"]')).toBe('Round 12 of 30. Waiting for 2 of 8 masked updates.');
    await tickTo(NOW + 60_000, '0 s');
  });

  it('keeps its place when the count loses a digit', async () => {
    await participant('running');
    const before = document.querySelector('.columns')?.getBoundingClientRect().top;
    Date.now = () => NOW - 120_000;
    await vi.waitUntil(() => text('.sentence').includes('2 min 9 s'), { timeout: 3000 });
    expect(document.querySelector('.columns')?.getBoundingClientRect().top).toBe(before);
  });
});

describe('what can be done', () => {
  const calls = (application: FakeApplication): readonly string[] => application.runs[0]?.calls ?? [];

  it('pauses, finishes and leaves', async () => {
    const application = await participant('running');
    button('Pause').click();
    button('Finish this round').click();
    button('Leave').click();
    expect(calls(application)).toEqual(['pause', 'finish', 'leave']);
    await vi.waitUntil(() => findButton('Stops after this round')?.getAttribute('aria-disabled') === 'true');
    button('Stops after this round').click();
    expect(calls(application)).toHaveLength(3);
  });

  it('resumes a paused run, and offers nothing that does not apply', async () => {
    const application = await participant('paused');
    expect(() => button('Pause')).toThrow();
    expect(() => button('Share link')).toThrow();
    button('Resume').click();
    expect(calls(application)).toEqual(['resume']);
  });

  it('starts now only with enough people', async () => {
    const application = await coordinator('empty');
    expect(button('Start now').getAttribute('aria-disabled')).toBe('true');
    button('Start now').click();
    expect(calls(application)).toEqual([]);
    application.runs[0]?.show(coordinatorStates['waiting']!);
    await vi.waitUntil(() => findButton('Start now')?.getAttribute('aria-disabled') === null);
    button('Start now').click();
    expect(calls(application)).toEqual(['startNow']);
  });

  it('saves, and says beside the button what could not be saved', async () => {
    const application = await coordinator('running');
    button('Save files').click();
    await vi.waitUntil(() => document.querySelector('.saves'));
    document.querySelector<HTMLElement>('[aria-label="Save metrics.csv"]')?.click();
    await vi.waitUntil(() => document.querySelector('.card-ledger .note'));
    expect(text('[role="alert"]')).toContain('could not be written. Allow downloads and try again.');
    expect(calls(application)).toEqual(['save metrics.csv']);
  });

  it('shows the link on request, with its code', async () => {
    await coordinator('running');
    expect(document.querySelector('.qr')).toBeNull();
    button('Share link').click();
    await vi.waitUntil(() => document.querySelector('.qr'));
    expect(button('Share link').getAttribute('aria-expanded')).toBe('true');
    expect(document.querySelector<HTMLInputElement>('.invite input')?.value).toBe(coordinating.inviteLink);
  });

  it('joins again after leaving, through the consent screen', async () => {
    const application = await participant('left');
    button('Join again').click();
    await vi.waitUntil(() => text('main h1') === 'Take part in a federation');
    expect(application.runs[0]?.closed).toBe(true);
  });
});
