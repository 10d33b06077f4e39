/** A real federation on this machine, from the command line: browser tabs, WebRTC, and files at the end. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { HushError } from '../src/core/errors.ts';
import type { RunView } from '../src/core/runView.ts';
import type { Scripting } from '../src/main/scripting.ts';
import type { LedgerRecord } from '../src/federation/record.ts';
import type { RoundMetrics } from '../src/federation/coordinatorState.ts';
import { buildApplication, DATA_DIR } from './build.ts';
import { ROOT, runIfMain } from './command.ts';
import { centralMetric, centralText } from './federate/central.ts';
import { filesOf } from './federate/files.ts';
import type { TabFiles } from './federate/files.ts';
import { FEDERATE_HELP, preparePlan, readOptions } from './federate/options.ts';
import type { FederateOptions, PreparedPlan } from './federate/options.ts';
import { comparisonOf, progressLine, reportOf, reportText } from './federate/report.ts';
import type { Report } from './federate/report.ts';
import { launchPlan, masked, Tabs } from './federate/tabs.ts';
import type { Tab } from './federate/tabs.ts';
import { startServer } from './server.ts';

const POLL_MS = 200;
/** After the end, everyone applies the last sum and verifies the last record. */
const SETTLE_MS = 30_000;

runIfMain(import.meta.url, async (args) => {
  const options = readOptions(args);
  if (options.help) {
    console.log(FEDERATE_HELP);
    return 0;
  }
  const prepared = await preparePlan(options);
  const say = (line: string): void => {
    if (!options.json) console.log(line);
  };
  if (await buildApplication()) say('Built the application.');
  const server = await startServer({ port: 0, root: ROOT, dataDir: DATA_DIR });
  const run = async (options: FederateOptions): Promise<Report> => {
    const tabs = await Tabs.launch(server.url);
    try {
      const report = await federate(options, prepared, server.url, tabs, say);
      say(reportText(report, options.out));
      return report;
    } finally {
      await tabs.close();
    }
  };
  try {
    if (!options.compareEngines) {
      const report = await run(options);
      const central = options.central
        ? { centralMetric: await centralMetric(prepared, report.rounds, DATA_DIR) }
        : undefined;
      if (central) say(centralText(central.centralMetric));
      if (options.json) console.log(JSON.stringify({ ...report, ...central }));
      return report.ok ? 0 : 1;
    }
    const stock = await run({ ...options, engine: 'stock', out: joinPath(options.out, 'stock') });
    const comparison = comparisonOf(stock, await run({ ...options, out: joinPath(options.out, 'chosen') }));
    say(`Training takes ${comparison.trainSecondsOfStock ?? '–'} of the time that stock tfjs takes.`);
    if (options.json) console.log(JSON.stringify(comparison));
    return comparison.ok ? 0 : 1;
  } finally {
    await server.close();
  }
});

async function federate(
  options: FederateOptions,
  { plan, text, participants, entries, start }: PreparedPlan,
  url: string,
  tabs: Tabs,
  say: (line: string) => void,
): Promise<Report> {
  const coordinator = await tabs.open('coordinator');
  const { inviteLink } = await launchPlan(coordinator, url, text, start);
  await coordinator.watchTasks();
  const guests: Tab[] = [];
  const open = async (): Promise<Tab> => {
    const tab = await tabs.open(`participant ${guests.length + 1}`);
    guests.push(tab);
    await tab.visit(inviteLink);
    return tab;
  };
  const joinIn = async (tab: Tab): Promise<void> => {
    await tab.join(options.engine);
    const entry = entries[guests.indexOf(tab)];
    if (entry !== undefined) await tab.chooseFiles(entry);
  };
  // Nobody begins to compute while others still load the page: that is not what is to be seen here.
  for (let i = 0; i < participants; i++) await open();
  for (const tab of guests) await joinIn(tab);
  const drops = options.drops.map(async ({ tab, round }) => {
    const guest = guests[tab - 1];
    if (guest === undefined) return;
    await masked(guest, round);
    say(`Closing tab ${tab} in round ${round}.`);
    await guest.close();
  });
  // A tab that never gets there is no fault of its own; the report tells how many dropped out.
  const dropped = Promise.allSettled(drops);

  const newcomers: Tab[] = [];
  const pendingJoins = [...options.joins].sort((a, b) => a - b);
  const view = await follow(coordinator, plan.aggregation.deadlines, say, async (current) => {
    const next = pendingJoins[0];
    if (next === undefined || (current.round?.number ?? 0) < next || current.round?.step === 'keys') return;
    pendingJoins.shift();
    say(`Opening one more tab in round ${next}.`);
    const tab = await open();
    newcomers.push(tab);
    await joinIn(tab);
  });
  const here = guests.filter((tab) => !tab.closed);
  const modelHashes = await Promise.all(here.map((tab) => settledModelHash(tab, view)));
  const files = await filesOf(coordinator.page);
  await writeFiles(options.out, text, files);
  const records = lines<LedgerRecord>(files.ledger);
  const ids = await Promise.all(newcomers.map(async (tab) => (tab.closed ? undefined : (await tab.view())?.you)));
  const missed = options.drops
    .filter(({ tab }) => guests[tab - 1]?.closed === false)
    .map(({ tab, round }) => `Tab ${tab} was to be closed in round ${round}, and the run ended first.`);
  const longest = await Promise.all(guests.map((tab) => tab.longestTaskMs()));
  const report = reportOf({
    plan,
    view,
    metrics: lines<RoundMetrics>(files.metrics),
    participants,
    modelHashes,
    longestMainThreadTaskMs: Math.max(0, ...longest),
    coordinatorLongestTaskMs: await coordinator.longestTaskMs(),
    newcomersFirstRound: options.joins.map((_, i) => firstRound(records, ids[i])),
    faults: [...tabs.faults, ...missed],
  });
  for (const tab of guests) await tab.close();
  await dropped;
  return report;
}

/** Until the run is over, or stands still for longer than its deadlines allow. */
async function follow(
  coordinator: Tab,
  deadlines: Readonly<Record<string, number>>,
  say: (line: string) => void,
  each: (view: RunView) => Promise<void>,
): Promise<RunView> {
  const patienceMs = 60_000 + 2 * Object.values(deadlines).reduce((sum, value) => sum + value, 0);
  let lastLine = '';
  let lastRecords = -1;
  let movedMs = Date.now();
  for (;;) {
    const view = await coordinator.view();
    if (view === undefined) throw new HushError('federate/no-run', 'The coordinator tab has no run.');
    if (view.ledger.records !== lastRecords) {
      lastRecords = view.ledger.records;
      movedMs = Date.now();
    }
    const line = progressLine(view);
    if (line !== lastLine) say(line);
    lastLine = line;
    if (view.phase === 'finished' || view.phase === 'failed') return view;
    if (Date.now() - movedMs > patienceMs) return view;
    await each(view);
    await coordinator.page.waitForTimeout(POLL_MS);
  }
}

/** The participant's model once it is the coordinator's, or whatever it is when there is no more time. */
async function settledModelHash(tab: Tab, coordinator: RunView): Promise<string | undefined> {
  await tab.page
    .waitForFunction(
      (hash) => (globalThis as unknown as { hushgrad: Scripting }).hushgrad.views()[0]?.modelHash === hash,
      coordinator.modelHash,
      { polling: POLL_MS, timeout: SETTLE_MS },
    )
    .catch(() => undefined);
  return (await tab.view())?.modelHash;
}

async function writeFiles(out: string, planText: string, files: TabFiles): Promise<void> {
  await mkdir(out, { recursive: true });
  await Promise.all([
    writeFile(joinPath(out, 'plan.json'), planText),
    writeFile(joinPath(out, 'model.json'), files.modelJson),
    writeFile(joinPath(out, 'weights.bin'), files.weights),
    writeFile(joinPath(out, 'model.safetensors'), files.safetensors),
    writeFile(joinPath(out, 'model-card.md'), files.card),
    writeFile(joinPath(out, 'metrics.csv'), files.metricsTable),
    writeFile(joinPath(out, 'metrics.jsonl'), files.metrics),
    writeFile(joinPath(out, 'ledger.jsonl'), files.ledger),
  ]);
}

function lines<T>(text: string): readonly T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** The first round with `id` on its roster. */
function firstRound(records: readonly LedgerRecord[], id: string | undefined): number | null {
  const found = records.find(({ sheets }) =>
    sheets.some(({ participants }) => participants.some(([participant]) => participant === id)),
  );
  return found?.body.round ?? null;
}
