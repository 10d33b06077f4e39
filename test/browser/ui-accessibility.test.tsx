/** Every screen in every state: axe finds nothing, light and dark; nothing scrolls sideways on a phone. */
import axe from 'axe-core';
import { afterEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { exhibits } from '../gallery/fakeApplication.ts';
import { clear, show } from '../gallery/stage.ts';

/** The page around the screens belongs to the test runner, so rules on the whole document do not apply. */
const RULES = {
  'document-title': { enabled: false },
  'html-has-lang': { enabled: false },
  'meta-viewport': { enabled: false },
};

async function findings(options: axe.RunOptions = { rules: RULES }): Promise<readonly string[]> {
  const { violations } = await axe.run(document.body, { ...options, resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}

function headingLevels(): readonly number[] {
  return [...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]));
}

afterEach(clear);

/** Colours are all that is different in the dark. */
const CONTRAST: axe.RunOptions = { runOnly: { type: 'rule', values: ['color-contrast'] } };

describe.each([
  ['light', undefined],
  ['dark', CONTRAST],
] as const)('%s', (colours, options) => {
  it.each(exhibits().map((exhibit) => [exhibit.name, exhibit] as const))(
    '%s has no finding of axe',
    async (_, exhibit) => {
      await page.viewport(1280, 860);
      await show(exhibit, colours);
      expect(getComputedStyle(document.documentElement).colorScheme).toBe(colours);
      expect(await findings(options)).toEqual([]);
    },
  );
});

it.each(exhibits().map((exhibit) => [exhibit.name, exhibit] as const))(
  '%s fits a phone, with headings in order',
  async (_, exhibit) => {
    await page.viewport(390, 844);
    await show(exhibit);
    expect(document.documentElement.clientWidth).toBe(390);
    expect(document.documentElement.scrollWidth).toBe(390);
    // A table or a hash that is cut off would hide behind its card instead of widening the page.
    const cut = [...document.querySelectorAll<HTMLElement>('.card, .note, table, dd, pre')].filter(
      (element) => element.scrollWidth > element.clientWidth + 1,
    );
    expect(cut.map(({ outerHTML }) => outerHTML.slice(0, 120))).toEqual([]);
    const levels = headingLevels();
    expect(levels[0]).toBe(1);
    levels.slice(1).forEach((level, i) => expect(level - (levels[i] ?? 0)).toBeLessThanOrEqual(1));
    expect(await findings()).toEqual([]);
  },
);
