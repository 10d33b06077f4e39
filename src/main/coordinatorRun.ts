/** A federation that this tab coordinates. */
import type { Run } from '../core/application.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Unsubscribe } from '../core/ports.ts';
import type { TryOut } from '../core/tryOut.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { RunActions, SavedFile } from '../core/runView.ts';
import { turn } from '../engine/turn.ts';
import { Coordinator } from '../federation/coordinator.ts';
import type { FederationDeed } from '../federation/coordinatorStore.ts';
import { inviteFragment } from '../federation/invite.ts';
import { coordinatorFiles } from '../federation/runFiles.ts';
import type { CoordinatorFiles } from '../federation/runFiles.ts';
import { createSummerHost } from '../platform/summerHost.ts';
import { coalesced } from './changes.ts';
import { withColluder } from './colluders.ts';
import { CoordinatorUse } from './coordinatorUse.ts';
import { tryOutOf } from './tryOut.ts';
import { saveRunFile } from './runFiles.ts';
import type { Services } from './services.ts';

export interface CoordinatorRun extends Run {
  readonly inviteLink: string;
  readonly coordinator: Coordinator;
  files(): Promise<CoordinatorFiles>;
}

/**
 * `takesPartHere`: a participant of the same federation is in this tab.
 * @throws HushError `run/open-elsewhere`, `run/…`, `transport/…`.
 */
export async function openCoordinatorRun(
  deed: FederationDeed,
  services: Services,
  takesPartHere: () => boolean,
): Promise<CoordinatorRun> {
  const release = await services.locks.tryHold(`hushgrad/coordinator/${deed.federation}`);
  if (release === undefined) {
    throw new HushError('run/open-elsewhere', 'This federation is open in another tab of this browser.', {
      advice: 'Go on in that tab, or close it and open the run here.',
    });
  }
  const transport = await services.transport(deed.address).catch((error: unknown) => {
    release();
    throw error;
  });
  const summer = createSummerHost();
  try {
    const coordinator = await Coordinator.open({ ...services, deed, transport, summer });
    return new CoordinatedRun(coordinator, deed.planBytes, services, release, takesPartHere);
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
  /** As they were launched: a run is verified against their hash. */
  readonly #planBytes: Bytes;
  readonly #release: Unsubscribe;
  readonly #takesPartHere: () => boolean;
  /** Workers that were opened to try the model. */
  readonly #uses = new Set<CoordinatorUse>();

  constructor(
    coordinator: Coordinator,
    planBytes: Bytes,
    services: Services,
    release: Unsubscribe,
    takesPartHere: () => boolean,
  ) {
    this.coordinator = coordinator;
    this.#planBytes = planBytes;
    this.#services = services;
    this.#release = release;
    this.#takesPartHere = takesPartHere;
    this.inviteLink = `${location.origin}${location.pathname}#${inviteFragment(coordinator.invite)}`;
    this.actions = {
      pause: () => coordinator.wish('pause'),
      resume: () => coordinator.wish('resume'),
      share: () => undefined,
      measureAgain: () => undefined,
      finish: () => coordinator.wish('pause'),
      leave: () => this.close(),
      startNow: () => coordinator.wish('start'),
      save: (what) => this.#save(what),
    };
  }

  view() {
    return { ...withColluder(this.coordinator.view(), this.#takesPartHere()), inviteLink: this.inviteLink };
  }

  onChange(handler: () => void): Unsubscribe {
    return coalesced(this.#services.clock, (changed) => this.coordinator.onChange(changed), handler);
  }

  tryOut(): TryOut {
    const { plan } = this.coordinator.state;
    const use = new CoordinatorUse(plan, this.#services, () => ({
      hash: this.coordinator.state.head.modelHash,
      load: () => this.#model(),
    }));
    this.#uses.add(use);
    return tryOutOf({
      plan,
      random: this.#services.random,
      use: () => use.ready(),
      onClose: () => {
        use.close();
        this.#uses.delete(use);
      },
    });
  }

  async #model(): Promise<ModelParameters> {
    const parameters = await this.coordinator.model();
    if (parameters === undefined) throw new HushError('run/model', 'The model is not kept here any more.');
    return parameters;
  }

  close(): void {
    for (const use of this.#uses) use.close();
    this.coordinator.close();
    this.#release();
  }

  async files(): Promise<CoordinatorFiles> {
    const { state } = this.coordinator;
    const records = [...this.coordinator.records];
    const parameters = await this.#model();
    return coordinatorFiles(state, this.#planBytes, records, parameters, turn);
  }

  async #save(what: SavedFile): Promise<void> {
    saveRunFile(what, this.#planBytes, await this.files());
  }
}
