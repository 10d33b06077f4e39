/** A run that is over, as files: made by the same machines, written by the same code as those of `federate`. */
import { utf8 } from '../../src/core/bytes.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { turn } from '../../src/engine/turn.ts';
import { coordinatorFiles } from '../../src/federation/runFiles.ts';
import type { RunFiles } from '../../tools/verify/verifyRun.ts';
import { Room, until } from './room.ts';
import type { Guest } from './room.ts';

export interface FinishedRun {
  readonly files: RunFiles;
  readonly room: Room;
}

/**
 * `people` take part until the last record is written. With `stumbles` the last two are torn away while they train in round 1,
 * which is more than the threshold bears, and two others come instead.
 */
export async function finishedRun(plan: object, people: number, stumbles = false): Promise<FinishedRun> {
  const room = await Room.found(plan);
  const { coordinator } = room;
  const guests: Guest[] = [];
  for (let i = 0; i < people; i++) guests.push(await room.join(`participant ${i}`));
  if (stumbles) {
    for (const { participant } of guests.slice(-2)) {
      participant.onChange(() => {
        if (participant.state.rounds[1]?.step === 'training') participant.close();
      });
    }
    await until(coordinator, () => coordinator.state.head.abandoned > 0);
    for (const name of ['one more', 'another']) await room.join(name);
  }
  await until(coordinator, () => coordinator.state.phase === 'finished');
  return { files: await filesOf(room), room };
}

export async function filesOf({ coordinator, deed }: Room): Promise<RunFiles> {
  const parameters = (await coordinator.model()) as ModelParameters;
  const { state, records } = coordinator;
  const files = await coordinatorFiles(state, deed.planBytes, records, parameters, turn);
  return {
    'plan.json': deed.planBytes,
    'ledger.jsonl': utf8(files.ledger),
    'weights.bin': files.weights,
    'model.json': utf8(files.modelJson),
    'metrics.jsonl': utf8(files.metrics),
    'model.safetensors': files.safetensors,
    'model-card.md': utf8(files.card),
    'metrics.csv': utf8(files.metricsTable),
  };
}

/** The same files but for one byte of one of them. */
export function withByte(files: RunFiles, name: keyof RunFiles, at: number, value: number): RunFiles {
  const changed = files[name].slice();
  changed[at] = value;
  return { ...files, [name]: changed };
}

/** The same files but for one text in one of them. @throws Error when it is not there. */
export function withText(files: RunFiles, name: keyof RunFiles, before: string | RegExp, after: string): RunFiles {
  const text = new TextDecoder().decode(files[name]);
  const changed = text.replace(before, after);
  if (changed === text) throw new Error(`${name} has no ${String(before)}`);
  return { ...files, [name]: utf8(changed) };
}
