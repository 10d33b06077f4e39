/** The browser of a federation on this machine: a coordinator tab, participant tabs, and what they did wrong. */
import { chromium } from 'playwright';
import type { Browser, BrowserContext, Locator, Page } from 'playwright';
import { toBase64Url } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import type { AskedEngine } from '../../src/core/localWork.ts';
import type { NamedBytes } from '../../src/core/savedModel.ts';
import type { RunView } from '../../src/core/runView.ts';
import type { Scripting } from '../../src/main/scripting.ts';
import { findChromium, QUIET_ARGS } from '../chromium.ts';
import type { DataEntry } from './entries.ts';

/** A GPU is used where there is one. Tabs in the background are the normal case here, not a reason to slow down. */
const ARGS = [
  ...QUIET_ARGS,
  '--enable-unsafe-webgpu',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** For one person's files to be read. */
const READING_MS = 600_000;

interface Instrumented {
  hushgrad?: Scripting;
  /** [start, duration] of every long task so far, ms since navigation. */
  longTasks?: [number, number][];
  watchedFromMs?: number;
}

/** One tab, in a browser context of its own. */
export class Tab {
  readonly name: string;
  readonly page: Page;
  readonly #context: BrowserContext;
  #longestTaskMs = 0;
  closed = false;

  constructor(name: string, context: BrowserContext, page: Page) {
    this.name = name;
    this.#context = context;
    this.page = page;
  }

  /** Of the first run that is open in this tab. */
  async view(): Promise<RunView | undefined> {
    return this.page.evaluate(() => (globalThis as unknown as Instrumented).hushgrad?.views()[0]);
  }

  /** Long tasks count from now on. */
  async watchTasks(): Promise<void> {
    await this.page.evaluate(() => {
      (globalThis as unknown as Instrumented).watchedFromMs = performance.now();
    });
  }

  /** The longest task of the main thread since `watchTasks`, 0 when none took 50 ms (Long Tasks API). */
  async longestTaskMs(): Promise<number> {
    if (this.closed) return this.#longestTaskMs;
    this.#longestTaskMs = await this.page.evaluate(() => {
      const { longTasks = [], watchedFromMs = 0 } = globalThis as unknown as Instrumented;
      return Math.max(0, ...longTasks.filter(([start]) => start >= watchedFromMs).map(([, duration]) => duration));
    });
    return this.#longestTaskMs;
  }

  /** Opens the link and waits for the consent screen; nothing starts. */
  async visit(link: string): Promise<void> {
    await this.page.goto(link);
    await this.#joinButton.waitFor();
  }

  /** `engine`: what it trains with instead of the fastest. */
  async join(engine?: AskedEngine): Promise<void> {
    if (engine !== undefined) {
      await this.page.evaluate((name) => (globalThis as unknown as Instrumented).hushgrad?.useEngine(name), engine);
    }
    await this.watchTasks();
    await this.#joinButton.click();
  }

  /** Gives the page files through its own input, and trains on what it can use. @throws HushError `federate/data`. */
  async chooseFiles({ path, isFolder }: DataEntry): Promise<void> {
    await this.page.getByLabel(isFolder ? 'Choose a folder' : 'Choose files', { exact: true }).setInputFiles(path);
    const found = this.page.locator('.card-files .found');
    await found.waitFor({ timeout: READING_MS });
    const accept = this.page.getByRole('button', { name: /^Train on / });
    if (await accept.isVisible()) return accept.click();
    const [file = path, row, column, value, expected] = await found
      .locator('.refusals tbody tr:first-child > *')
      .allInnerTexts();
    const why = value === undefined ? '' : ` ${file}, row ${row}, column ${column}: ${value}, expected ${expected}.`;
    throw new HushError('federate/data', `Nothing in "${path}" can be trained on.${why}`);
  }

  get #joinButton(): Locator {
    return this.page.getByRole('button', { name: 'Join', exact: true });
  }

  /** As a person closes a tab. */
  async close(): Promise<void> {
    if (this.closed) return;
    await this.longestTaskMs().catch(() => 0);
    this.closed = true;
    await this.#context.close();
  }
}

export class Tabs {
  readonly #browser: Browser;
  readonly #origin: string;
  /** Requests to other hosts, and errors that no code caught: none of either is right. */
  readonly faults: string[] = [];

  private constructor(browser: Browser, origin: string) {
    this.#browser = browser;
    this.#origin = origin;
  }

  static async launch(url: string): Promise<Tabs> {
    const executablePath = await findChromium();
    return new Tabs(await chromium.launch({ executablePath, headless: true, args: ARGS }), new URL(url).origin);
  }

  async open(name: string): Promise<Tab> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.faults.push(`${name}: ${error.message}`));
    page.on('crash', () => this.faults.push(`${name}: the tab crashed`));
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.#origin && protocol !== 'blob:' && protocol !== 'data:') {
        this.faults.push(`${name}: a request to ${origin}`);
      }
    });
    await page.addInitScript(() => {
      const here = globalThis as unknown as Instrumented;
      const seen: [number, number][] = (here.longTasks = []);
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.push([entry.startTime, entry.duration]);
      }).observe({ type: 'longtask', buffered: true });
    });
    return new Tab(name, context, page);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** @throws HushError `federate/no-script` when the page does not offer its scripting interface. */
export async function launchPlan(
  tab: Tab,
  url: string,
  planText: string,
  start?: readonly NamedBytes[],
): Promise<{ federation: string; inviteLink: string }> {
  await tab.page.goto(url);
  const files = start?.map(({ name, bytes }) => ({ name, bytes: toBase64Url(bytes) }));
  const launched = await tab.page.evaluate(
    ([text, saved]) => (globalThis as unknown as Instrumented).hushgrad?.launch(text, saved),
    [planText, files] as const,
  );
  if (launched === undefined) throw new HushError('federate/no-script', 'The page has no scripting interface.');
  await tab.page.goto(`${url}#/run/${launched.federation}`);
  return launched;
}

/** Resolves when the tab's masked update of `round` is on its way. */
export async function masked(tab: Tab, round: number): Promise<void> {
  await tab.page.waitForFunction(
    (wanted) => {
      const view = (globalThis as unknown as Instrumented).hushgrad?.views()[0];
      const own = view?.people.find((person) => person.you)?.state;
      if (view?.round === undefined || own === undefined) return false;
      return (
        view.round.number > wanted ||
        (view.round.number === wanted && ['masked', 'agreed', 'unmasked', 'confirmed'].includes(own))
      );
    },
    round,
    { polling: 10, timeout: 0 },
  );
}
