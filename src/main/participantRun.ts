/** A federation that this tab takes part in. */
import type { Run } from '../core/application.ts';
import { HushError } from '../core/errors.ts';
import type { Unsubscribe } from '../core/ports.ts';
import type { RunActions } from '../core/runView.ts';
import type { Invite } from '../federation/invite.ts';
import { Participant } from '../federation/participant.ts';
import { createTrainerHost } from '../platform/trainerHost.ts';
import { coalesced } from './changes.ts';
import { holdIdentity } from './identitySlot.ts';
import { modelFilesOf, saveModel } from './runFiles.ts';
import type { Services } from './services.ts';

/** @throws HushError `identity/…`, `store/…`. What goes wrong later is in the view. */
export async function openParticipantRun(invite: Invite, services: Services): Promise<Run> {
  const { identity, release } = await holdIdentity(invite.federation, services);
  try {
    const trainer = createTrainerHost();
    const transport = services.transport();
    const participant = await Participant.start({ ...services, invite, identity, trainer, transport });
    return new TakingPart(participant, services, release);
  } catch (error) {
    release();
    throw error;
  }
}

class TakingPart implements Run {
  readonly actions: RunActions;
  readonly #participant: Participant;
  readonly #services: Services;
  readonly #release: Unsubscribe;

  constructor(participant: Participant, services: Services, release: Unsubscribe) {
    this.#participant = participant;
    this.#services = services;
    this.#release = release;
    this.actions = {
      pause: () => participant.wish('pause'),
      resume: () => participant.wish('resume'),
      finish: () => participant.wish('finish'),
      leave: () => participant.wish('leave'),
      startNow: () => undefined,
      save: (what) => this.#save(what),
    };
  }

  view() {
    return this.#participant.view();
  }

  onChange(handler: () => void): Unsubscribe {
    return coalesced(this.#services.clock, (changed) => this.#participant.onChange(changed), handler);
  }

  close(): void {
    this.#participant.close();
    this.#release();
  }

  async #save(what: 'model' | 'metrics' | 'ledger'): Promise<void> {
    const model = this.#participant.model();
    const { plan } = this.#participant.state;
    if (what !== 'model' || model === undefined || plan === undefined) {
      throw new HushError('run/not-here', `The ${what} is not in this tab.`, { advice: 'Ask the coordinator for it.' });
    }
    saveModel(modelFilesOf(plan, this.view(), model.parameters));
  }
}
