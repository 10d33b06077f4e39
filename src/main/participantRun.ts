/** A federation that this tab takes part in. */
import type { Run } from '../core/application.ts';
import { HushError } from '../core/errors.ts';
import type { AskedEngine, DataReading, Trainer } from '../core/localWork.ts';
import type { Unsubscribe } from '../core/ports.ts';
import type { ModelUse, TryOut } from '../core/tryOut.ts';
import type { RunActions, SavedFile } from '../core/runView.ts';
import type { Invite } from '../federation/invite.ts';
import { Participant } from '../federation/participant.ts';
import { modelFilesOf } from '../federation/modelFiles.ts';
import { createTrainerHost } from '../platform/trainerHost.ts';
import { coalesced } from './changes.ts';
import { withColluder } from './colluders.ts';
import { withEngineMemory } from './engineMemory.ts';
import { holdIdentity } from './identitySlot.ts';
import { holdName } from './namedIdentity.ts';
import { RunFiles } from './ownFiles.ts';
import { saveRunFile } from './runFiles.ts';
import type { Services } from './services.ts';
import { tryOutOf } from './tryOut.ts';

/**
 * `coordinatedHere`: this browser coordinates the federation too. `engine`: trains with this one instead of the fastest.
 * @throws HushError `identity/…`, `store/…`. What goes wrong later is in the view.
 */
export async function openParticipantRun(
  invite: Invite,
  services: Services,
  coordinatedHere: () => boolean,
  engine?: AskedEngine,
): Promise<Run> {
  const name = await holdName(invite, services);
  const slot = await holdIdentity(invite.federation, services).catch((error: unknown) => {
    name?.release();
    throw error;
  });
  const { identity } = slot;
  const release = (): void => {
    slot.release();
    name?.release();
  };
  try {
    const host = createTrainerHost();
    const trainer = engine === undefined ? withEngineMemory(host, services) : askingFor(engine, host);
    const transport = await services.transport();
    const named = name?.identity;
    const participant = await Participant.start({ ...services, invite, identity, named, trainer, transport });
    return new TakingPart(participant, host, services, release, coordinatedHere);
  } catch (error) {
    release();
    throw error;
  }
}

function askingFor(forceEngine: AskedEngine, host: Trainer): Trainer {
  return { ...host, open: (task) => host.open({ ...task, forceEngine }) };
}

class TakingPart implements Run {
  #ownFiles: RunFiles | undefined;
  readonly actions: RunActions;
  readonly #participant: Participant;
  readonly #worker: DataReading & ModelUse;
  readonly #services: Services;
  readonly #release: Unsubscribe;
  readonly #coordinatedHere: () => boolean;

  constructor(
    participant: Participant,
    worker: DataReading & ModelUse,
    services: Services,
    release: Unsubscribe,
    coordinatedHere: () => boolean,
  ) {
    this.#participant = participant;
    this.#worker = worker;
    this.#services = services;
    this.#release = release;
    this.#coordinatedHere = coordinatedHere;
    this.actions = {
      pause: () => participant.wish('pause'),
      resume: () => participant.wish('resume'),
      share: (percent) => participant.share(percent),
      measureAgain: () => participant.wish('measure'),
      finish: () => participant.wish('finish'),
      leave: () => participant.wish('leave'),
      startNow: () => undefined,
      save: (what) => this.#save(what),
    };
  }

  /** Made once the plan is here and asks for files. */
  get ownFiles(): RunFiles | undefined {
    const { plan, binding } = this.#participant.state;
    if (this.#ownFiles !== undefined || plan?.data.kind !== 'private') return this.#ownFiles;
    const files = new RunFiles({
      plan,
      planHash: binding.planHash,
      reading: this.#worker,
      store: this.#services.store,
      onAccepted: () => this.#participant.acceptData(),
    });
    this.#ownFiles = files;
    void files.restore();
    return files;
  }

  view() {
    return withColluder(this.#participant.view(), this.#coordinatedHere());
  }

  onChange(handler: () => void): Unsubscribe {
    return coalesced(this.#services.clock, (changed) => this.#participant.onChange(changed), handler);
  }

  tryOut(): TryOut | undefined {
    const { plan } = this.#participant.state;
    if (plan === undefined) return undefined;
    const use = (): Promise<ModelUse> => Promise.resolve(this.#worker);
    return tryOutOf({ plan, random: this.#services.random, use, onClose: () => undefined });
  }

  close(): void {
    this.#participant.close();
    this.#release();
  }

  async #save(what: SavedFile): Promise<void> {
    const model = this.#participant.model();
    const bytes = this.#participant.planBytes();
    const { plan, binding, head, curve } = this.#participant.state;
    if (model !== undefined && plan !== undefined && bytes !== undefined) {
      const origin = { ...binding, modelHash: model.hash, ledgerHead: head?.recordHash, rounds: head?.completed ?? 0 };
      const files = modelFilesOf({ plan, bytes }, origin, model.parameters, curve);
      if (saveRunFile(what, bytes, files)) return;
    }
    throw new HushError('run/not-here', `The file ${what} is not in this tab.`, {
      advice: 'Ask the coordinator for it.',
    });
  }
}
