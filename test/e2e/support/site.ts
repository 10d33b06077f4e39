/** The built application as `npm start` serves it, and a browser whose tabs are watched for what no tab may do. */
import { filesOf as pageFiles } from '../../../tools/federate/files.ts';
import type { TabFiles } from '../../../tools/federate/files.ts';
import { Tab, Tabs } from '../../../tools/federate/tabs.ts';
import { buildApplication, DATA_DIR } from '../../../tools/build.ts';
import { ROOT } from '../../../tools/command.ts';
import { startServer } from '../../../tools/server.ts';
import type { RunView } from '../../../src/core/runView.ts';
import type { Scripting } from '../../../src/main/scripting.ts';

/** As the page has it; functions that run there can name it. */
export interface Here {
  hushgrad: Scripting;
}

export interface Site {
  readonly url: string;
  /** Requests to other hosts, uncaught errors, crashes and violations of the Content Security Policy. */
  faults(): readonly string[];
  /** A tab in a browser context of its own: another person's. */
  open(name: string): Promise<Tab>;
  /** Another tab of the same person, who has closed the first: what the browser keeps is there. */
  reopen(closed: Tab): Promise<Tab>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  await buildApplication();
  const server = await startServer({ port: 0, root: ROOT, dataDir: DATA_DIR });
  const tabs = await Tabs.launch(server.url);
  const seen: string[] = [];
  return {
    url: server.url,
    faults: () => [...tabs.faults, ...seen],
    async open(name) {
      const tab = await tabs.open(name);
      watchPolicy(tab, seen);
      return tab;
    },
    async reopen({ name, page }) {
      const context = page.context();
      const tab = new Tab(name, context, await context.newPage());
      tab.page.on('pageerror', (error) => seen.push(`${name}: ${error.message}`));
      tab.page.on('crash', () => seen.push(`${name}: the tab crashed`));
      watchPolicy(tab, seen);
      return tab;
    },
    async close() {
      await tabs.close();
      await server.close();
    },
  };
}

function watchPolicy({ name, page }: Tab, seen: string[]): void {
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) seen.push(`${name}: ${message.text()}`);
  });
  // What a worker may not do is told in that worker alone; the request is never made, so none is seen either.
  page.on('worker', (worker) => {
    const violation = worker.evaluate(
      () =>
        new Promise<string>((resolve) => {
          addEventListener('securitypolicyviolation', (event) => {
            const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
            resolve(`${effectiveDirective} ${blockedURI}`);
          });
        }),
    );
    // Rejects when the worker ends.
    violation.then((text) => seen.push(`${name}: ${worker.url()}: ${text}`)).catch(() => undefined);
  });
}

/** What must hold of a tab's first run for `reached` to go on; what is left out does not matter. */
export interface Wanted {
  readonly phase?: RunView['phase'];
  /** Rounds completed, at least, by the ledger. */
  readonly completed?: number;
  /** Number of the round that is shown, at least, with this tab on its roster. */
  readonly round?: number;
  readonly modelHash?: string | undefined;
}

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 90_000;

/** Waits for the tab's run to be as wanted; gives its view then. Fails with what the tab says instead. */
export async function reached(tab: Tab, wanted: Wanted): Promise<RunView> {
  const met = await tab.page
    .waitForFunction(
      ({ phase, completed, round, modelHash }) => {
        const view = (globalThis as unknown as Here).hushgrad.views()[0];
        if (view === undefined) return false;
        if (phase !== undefined && view.phase !== phase) return false;
        const { records, abandoned } = view.ledger;
        if (completed !== undefined && records - abandoned < completed) return false;
        if (modelHash !== undefined && view.modelHash !== modelHash) return false;
        if (round === undefined) return true;
        return (view.round?.number ?? 0) >= round && view.people.some(({ you, inRound }) => you && inRound);
      },
      wanted,
      { polling: LOOK_EVERY_MS, timeout: PATIENCE_MS },
    )
    .catch(() => undefined);
  const view = await viewOf(tab);
  if (met === undefined) {
    const { phase, sentence, waiting, ledger, events } = view;
    const told = { phase, sentence, waiting, ledger, log: events.slice(-8).map(({ text }) => text) };
    throw new Error(`${tab.name} did not get to ${JSON.stringify(wanted)}: ${JSON.stringify(told, null, 1)}`);
  }
  return view;
}

export async function viewOf(tab: Tab): Promise<RunView> {
  const view = await tab.view();
  if (view === undefined) throw new Error(`${tab.name} has no run.`);
  return view;
}

export function filesOf(tab: Tab): Promise<TabFiles> {
  return pageFiles(tab.page);
}
