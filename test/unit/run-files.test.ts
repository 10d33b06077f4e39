/** Writing a run's files lets the page go on: a ledger of many people takes long. */
import { afterEach, expect, it } from 'vitest';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { coordinatorFiles } from '../../src/federation/runFiles.ts';
import { finishedRun } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';
import type { Room } from '../support/room.ts';

let room: Room | undefined;
afterEach(() => room?.close());

it('gives others a turn after the model and every line of metrics and ledger', async () => {
  const run = await finishedRun(planDocument(), 4);
  ({ room } = run);
  const { coordinator, deed } = room;
  const { state, records } = coordinator;
  const parameters = (await coordinator.model()) as ModelParameters;
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns++;
    await Promise.resolve();
  };
  const { metrics, ledger } = await coordinatorFiles(state, deed.planBytes, records, parameters, turn);
  const lines = [...metrics.trimEnd().split('\n'), ...ledger.trimEnd().split('\n')];
  expect(records.length).toBeGreaterThan(1);
  expect(turns).toBe(1 + lines.length);
  expect(lines.length).toBe(state.metrics.length + records.length);
  expect(new TextDecoder().decode(run.files['ledger.jsonl'])).toBe(ledger);
});
