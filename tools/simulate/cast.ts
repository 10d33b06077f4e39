/** The coordinator of a simulation: the real one, watched. */
import type { Coordinator } from '../../src/federation/coordinator.ts';
import type { CoordinatorEffect, CoordinatorEvent } from '../../src/federation/coordinatorState.ts';
import type { Message } from '../../src/federation/messages.ts';

export interface CoordinatorWatch {
  message(message: Message): void;
  /** A round is in the ledger. */
  sealed(round: number): void;
  /** Whether the next round may be called; what is not called is never heard of. */
  mayCall(round: number): boolean;
}

type CoordinatorClass = typeof Coordinator;

/** A class whose coordinators tell `watch` what they take; `base` may be one that lies. */
export function watched(base: CoordinatorClass, watch: CoordinatorWatch): CoordinatorClass {
  return class extends base {
    protected override take(event: CoordinatorEvent): void {
      if (event.event === 'message') watch.message(event.message);
      super.take(event);
      if (event.event === 'done' && event.task === 'seal') watch.sealed(event.round);
    }

    protected override perform(effect: CoordinatorEffect): void {
      const isCall = effect.effect === 'task' && effect.task === 'mark' && effect.input.stage === 'called';
      if (isCall && !watch.mayCall(effect.round)) return;
      super.perform(effect);
    }
  };
}
