/** The Application that the screens see, on the browser's own services. */
import type {
  Application,
  InviteView,
  KeptFiles,
  LocalFederation,
  NamedIdentityView,
  PlanDraft,
  Run,
  StartingModel,
  StoredRun,
} from '../core/application.ts';
import { utf8 } from '../core/bytes.ts';
import { asHushError, HushError } from '../core/errors.ts';
import type { Hash } from '../core/ids.ts';
import type { AskedEngine } from '../core/localWork.ts';
import { parsePlan } from '../core/plan.ts';
import { readSavedModel } from '../core/savedModel.ts';
import type { SavedModel } from '../core/savedModel.ts';
import type { SourceFile } from '../core/sourceFile.ts';
import { hashOf } from '../crypto/hash.ts';
import { checkAgainstDataset } from '../data/registry.ts';
import { CoordinatorStore } from '../federation/coordinatorStore.ts';
import type { FederationDeed } from '../federation/coordinatorStore.ts';
import { foundFederation } from '../federation/founding.ts';
import { inviteFragment, parseInvite } from '../federation/invite.ts';
import { planOfFork, startOf } from '../federation/start.ts';
import type { CoordinatorRun } from './coordinatorRun.ts';
import { allKeptFiles, forgetFiles } from './keptFiles.ts';
import { forgetNamedIdentity, makeNamedIdentity, namedIdentity } from './namedIdentity.ts';
import type { Services } from './services.ts';

const TRIAL_PLAN = 'digits.json';

export class BrowserApplication implements Application {
  readonly #services: Services;
  readonly #coordinated = new Map<string, CoordinatorRun>();
  /** What runs that are joined from now on train with; the fastest engine unless a script says otherwise. */
  engine: AskedEngine | undefined;
  /** Each with its federation. */
  readonly #joined = new Map<Run, string>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** Runs that are open in this tab. */
  get coordinated(): readonly CoordinatorRun[] {
    return [...this.#coordinated.values()];
  }

  get joined(): readonly Run[] {
    return [...this.#joined.keys()];
  }

  async offeredPlans(): Promise<readonly PlanDraft[]> {
    const entries = (await (await fetchOwn('plans/index.json')).json()) as { readonly name: string }[];
    return Promise.all(entries.map(async ({ name }) => this.readPlan(await this.#planText(name))));
  }

  async #planText(name: string): Promise<string> {
    return (await fetchOwn(`plans/${encodeURIComponent(name)}`)).text();
  }

  async readPlan(text: string): Promise<PlanDraft> {
    const bytes = utf8(text);
    const { plan } = parsePlan(bytes);
    checkAgainstDataset(plan);
    return { plan, planHash: hashOf(bytes), text };
  }

  async storedRuns(): Promise<readonly StoredRun[]> {
    const { store } = this.#services;
    const deeds = await CoordinatorStore.deeds(store);
    return Promise.all(
      deeds.map(async ({ federation, name, launchedMs, rounds }) => ({
        federation,
        name,
        launchedMs,
        completed: await new CoordinatorStore(store, federation).completedRounds(),
        of: rounds,
      })),
    );
  }

  async forgetRun(federation: string): Promise<void> {
    this.#coordinated.get(federation)?.close();
    const { store } = this.#services;
    await new CoordinatorStore(store, federation).forget();
    // Of participants in this same browser, as in a trial.
    for (const prefix of [`identity/${federation}/`, `guard/${federation}/`]) {
      for (const key of await store.keys(prefix)) await store.delete(key);
    }
  }

  keptFiles(): Promise<readonly KeptFiles[]> {
    return allKeptFiles(this.#services.store);
  }

  forgetFiles(planHash: Hash): Promise<void> {
    return forgetFiles(this.#services.store, planHash);
  }

  async readModel(files: readonly SourceFile[]): Promise<StartingModel> {
    const saved = readSavedModel(
      await Promise.all(
        files.map(async ({ path, blob }) => ({ name: path, bytes: new Uint8Array(await blob.arrayBuffer()) })),
      ),
    );
    return { saved, ...(await planOfFork(saved)) };
  }

  async launch(
    draft: PlanDraft,
    saved?: SavedModel,
  ): Promise<{ readonly federation: string; readonly run: CoordinatorRun }> {
    const { store, random, clock } = this.#services;
    const start = await startOf(draft.plan, saved);
    const deed = await foundFederation(utf8(draft.text), random, clock);
    await new CoordinatorStore(store, deed.federation).found(deed, start);
    return { federation: deed.federation, run: await this.#open(deed) };
  }

  async resume(federation: string): Promise<Run> {
    const open = this.#coordinated.get(federation);
    if (open !== undefined) return open;
    const { deed } = await new CoordinatorStore(this.#services.store, federation).load();
    return this.#open(deed);
  }

  async #open(deed: FederationDeed): Promise<CoordinatorRun> {
    const takesPartHere = (): boolean => [...this.#joined.values()].includes(deed.federation);
    const { openCoordinatorRun } = await import('./coordinatorRun.ts');
    const run = await openCoordinatorRun(deed, this.#services, takesPartHere);
    const close = run.close.bind(run);
    run.close = () => {
      this.#coordinated.delete(deed.federation);
      close();
    };
    this.#coordinated.set(deed.federation, run);
    return run;
  }

  readInvite(fragment: string): InviteView {
    const { planHash, key, federation, admission } = parseInvite(fragment);
    return { planHash, coordinatorKey: key, federation, admission, host: location.host };
  }

  async join(fragment: string): Promise<Run> {
    const invite = parseInvite(fragment);
    const { federation } = invite;
    // In this tab, or in another one of this browser.
    const kept = await CoordinatorStore.has(this.#services.store, federation);
    const coordinatedHere = (): boolean => kept || this.#coordinated.has(federation);
    const { openParticipantRun } = await import('./participantRun.ts');
    const run = await openParticipantRun(invite, this.#services, coordinatedHere, this.engine);
    const close = run.close.bind(run);
    run.close = () => {
      this.#joined.delete(run);
      close();
    };
    this.#joined.set(run, federation);
    return run;
  }

  /** The same federation as between tabs: own connections, own workers, own identities; forgotten when it is closed. */
  async tryHere(participants: number): Promise<LocalFederation> {
    const draft = await this.readPlan(await this.#planText(TRIAL_PLAN));
    const { federation, run } = await this.launch(draft);
    const fragment = inviteFragment(run.coordinator.invite);
    const joined = await Promise.all(Array.from({ length: participants }, () => this.join(fragment)));
    return {
      coordinator: run,
      participants: joined,
      close: () => {
        for (const participant of joined) participant.close();
        run.close();
        void this.forgetRun(federation);
      },
    };
  }

  async namedIdentity(): Promise<NamedIdentityView | undefined> {
    const identity = await namedIdentity(this.#services);
    return identity && { key: identity.publicKey };
  }

  async makeNamedIdentity(): Promise<NamedIdentityView> {
    return { key: (await makeNamedIdentity(this.#services)).publicKey };
  }

  forgetNamedIdentity(): Promise<void> {
    return forgetNamedIdentity(this.#services);
  }

  problem(thrown: unknown) {
    const { code, message, advice } = asHushError(thrown, 'application/failed');
    return { code, message, advice };
  }
}

/** From this page's own host, the only one that is ever asked. */
async function fetchOwn(path: string): Promise<Response> {
  const response = await fetch(path).catch(() => undefined);
  if (response?.ok) return response;
  const why = response === undefined ? 'the server cannot be reached' : `it answers ${response.status}`;
  throw new HushError('server/unavailable', `"${path}" cannot be loaded: ${why}.`, {
    advice: 'See whether the server still runs, and reload the page.',
  });
}
