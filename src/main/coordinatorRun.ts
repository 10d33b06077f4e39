/** A federation that this tab coordinates. */
import type { Run } from '../core/application.ts';
import { HushError } from '../core/errors.ts';
import type { Unsubscribe } from '../core/ports.ts';
import type { RunActions } from '../core/runView.ts';
import { Coordinator } from '../federation/coordinator.ts';
import type { FederationDeed } from '../federation/coordinatorStore.ts';
import { inviteFragment } from '../federation/invite.ts';
import { createSummerHost } from '../platform/summerHost.ts';
import { coalesced } from './changes.ts';
import { jsonLines, modelFilesOf, saveLines, saveModel } from './runFiles.ts';
import type { Services } from './services.ts';

/** Contents of the files that `federate` writes. */
export interface CoordinatorFiles {
  readonly modelJson: string;
  readonly weights: Uint8Array<ArrayBuffer>;
  readonly metrics: string;
  readonly ledger: string;
}

export interface CoordinatorRun extends Run {
  readonly inviteLink: string;
  readonly coordinator: Coordinator;
  files(): Promise<CoordinatorFiles>;
}

/** @throws HushError `run/open-elsewhere`, `run/…`, `transport/…`. */
export async function openCoordinatorRun(deed: FederationDeed, services: Services): Promise<CoordinatorRun> {
  const release = await services.locks.tryHold(`hushgrad/coordinator/${deed.federation}`);
  if (release === undefined) {
    throw new HushError('run/open-elsewhere', 'This federation is open in another tab of this browser.', {
      advice: 'Go on in that tab, or close it and open the run here.',
    });
  }
  const transport = services.transport(deed.address);
  const summer = createSummerHost();
  try {
    const coordinator = await Coordinator.open({ ...services, deed, transport, summer });
    return new CoordinatedRun(coordinator, services, release);
  } catch (error) {
    transport.close();
    summer.close();
    release();
    throw error;
  }
}

class CoordinatedRun implements CoordinatorRun {
  readonly inviteLink: string;
  readonly coordinator: Coordinator;
  readonly actions: RunActions;
  readonly #services: Services;
  readonly #release: Unsubscribe;

  constructor(coordinator: Coordinator, services: Services, release: Unsubscribe) {
    this.coordinator = coordinator;
    this.#services = services;
    this.#release = release;
    this.inviteLink = `${location.origin}${location.pathname}#${inviteFragment(coordinator.invite)}`;
    this.actions = {
      pause: () => coordinator.wish('pause'),
      resume: () => coordinator.wish('resume'),
      finish: () => coordinator.wish('pause'),
      leave: () => this.close(),
      startNow: () => coordinator.wish('start'),
      save: (what) => this.#save(what),
    };
  }

  view() {
    return { ...this.coordinator.view(), inviteLink: this.inviteLink };
  }

  onChange(handler: () => void): Unsubscribe {
    return coalesced(this.#services.clock, (changed) => this.coordinator.onChange(changed), handler);
  }

  close(): void {
    this.coordinator.close();
    this.#release();
  }

  async files(): Promise<CoordinatorFiles> {
    const { modelJson, weights } = await this.#modelFiles();
    const { metrics, records } = this.coordinator;
    return { modelJson, weights, metrics: jsonLines(metrics), ledger: jsonLines(records) };
  }

  async #modelFiles() {
    const parameters = await this.coordinator.model();
    if (parameters === undefined) throw new HushError('run/model', 'The model is not kept here any more.');
    return modelFilesOf(this.coordinator.state.plan, this.view(), parameters);
  }

  async #save(what: 'model' | 'metrics' | 'ledger'): Promise<void> {
    if (what === 'model') saveModel(await this.#modelFiles());
    else saveLines(`${what}.jsonl`, what === 'metrics' ? this.coordinator.metrics : this.coordinator.records);
  }
}
