/**
 * Every dropout pattern at every step that the threshold allows, and one beyond: the unmasked sum is the sum of the
 * survivors' quantised updates bit for bit, or nothing is unmasked.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId } from '../../src/core/ids.ts';
import { threshold } from '../../src/core/plan.ts';
import type { SecurityMode } from '../../src/core/plan.ts';
import { ringBits, trainingSumSpec } from '../../src/core/sumSpec.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';
import type { Guest } from '../support/room.ts';

/** Where a tab is closed, in the order in which a round gets there: once its message has arrived, or in the middle of work. */
const STEPS = ['shared', 'opening', 'training', 'masked', 'agreed', 'released'] as const;
type Step = (typeof STEPS)[number];

/** Closing this early leaves no masked update; the mask key must be put together again. */
const BEFORE_MASKED: readonly Step[] = ['shared', 'opening', 'training'];

let room: Room | undefined;
afterEach(() => room?.close());

/** What of a participant the coordinator holds, by the step that sends it. */
function arrived({ coordinator }: Room, id: ParticipantId, step: Step): boolean {
  const { current, upcoming } = coordinator.state;
  const group = current?.groups[0];
  if (step === 'shared') return Object.hasOwn({ ...upcoming?.groups[0]?.shares, ...group?.shares }, id);
  if (step === 'masked') return Object.hasOwn(group?.masked ?? {}, id);
  if (step === 'agreed') return Object.hasOwn(group?.agreements ?? {}, id);
  return Object.hasOwn(group?.answers ?? {}, id);
}

/** Closes the participant as soon as it gets to `step` of round 1. */
function closeAt(here: Room, { participant, identity }: Guest, step: Step): void {
  const inside = step === 'opening' || step === 'training';
  const look = (): void => {
    const there = inside ? participant.state.rounds[1]?.step === step : arrived(here, identity.id, step);
    if (there) participant.close();
  };
  participant.onChange(look);
  here.coordinator.onChange(look);
}

async function runRound(n: number, mode: SecurityMode, closing: readonly (readonly [number, Step])[]): Promise<Room> {
  room = await Room.found(planDocument({ people: n, mode, rounds: 1 }));
  const { coordinator } = room;
  for (let i = 0; i < n; i++) await room.join(`participant ${i}`);
  for (const [i, step] of closing) closeAt(room, room.guests[i]!, step);
  await until(coordinator, () => coordinator.state.head.round >= 1);
  return room;
}

/** The sum that was unmasked, and the sum of what the survivors quantised. */
function sums({ coordinator, summer, guests }: Room): {
  readonly unmasked: Uint32Array;
  readonly expected: Uint32Array;
} {
  const { body, sheets } = coordinator.records[0]!;
  if (body.status !== 'complete') throw new Error(body.reason);
  const { plan } = coordinator.state;
  const spec = trainingSumSpec(plan, parameterLayout(plan.model).length);
  const survivors = new Set<ParticipantId>(sheets[0]!.survivors);
  const vectors = guests
    .filter(({ identity }) => survivors.has(identity.id))
    .map(({ trainer }) => trainer.vectors.get(1)!);
  const length = vectors[0]!.length;
  const expected = new Uint32Array(length);
  for (const vector of vectors) vector.forEach((word, i) => (expected[i] = expected[i]! + word));
  return { unmasked: unpackWords(summer.sums.get(1)!, length, ringBits(spec, guests.length)), expected };
}

function patterns(n: number, size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return patterns(n, size - 1).flatMap((chosen) =>
    Array.from({ length: n }, (_, i) => i)
      .filter((i) => i > (chosen.at(-1) ?? -1))
      .map((i) => [...chosen, i]),
  );
}

describe.each([
  { n: 4, mode: 'active' },
  { n: 5, mode: 'active' },
  { n: 5, mode: 'honest-but-curious' },
] as const)('$n participants, $mode', ({ n, mode }) => {
  const allowed = n - Math.max(threshold(mode, n), 3);
  const steps = STEPS.filter((step) => mode === 'active' || step !== 'agreed');

  test('nobody drops out', async () => {
    const { unmasked, expected } = sums(await runRound(n, mode, []));
    expect(unmasked).toEqual(expected);
  });

  for (const step of steps) {
    test(`as many as the threshold allows close when ${step}`, async () => {
      for (let size = 1; size <= allowed; size++) {
        for (const pattern of patterns(n, size)) {
          const finished = await runRound(
            n,
            mode,
            pattern.map((i) => [i, step]),
          );
          const { body, sheets } = finished.coordinator.records[0]!;
          expect(body.status, `${pattern.join()} at ${step}`).toBe('complete');
          const gone = pattern.map((i) => finished.guests[i]!.identity.id);
          const { survivors } = sheets[0]!;
          for (const id of gone) expect(survivors.includes(id)).toBe(!BEFORE_MASKED.includes(step));
          const { unmasked, expected } = sums(finished);
          expect(unmasked).toEqual(expected);
          finished.close();
        }
      }
    });

    // Whose shares to unmask have arrived has given them: then the sum may be had, but too few are left to confirm it.
    const outcome = step === 'released' ? 'the round is given up' : 'nothing is unmasked';
    test(`one more closes when ${step}: ${outcome}`, async () => {
      const pattern = patterns(n, allowed + 1)[0]!;
      const finished = await runRound(
        n,
        mode,
        pattern.map((i) => [i, step]),
      );
      expect(finished.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned' });
      expect(finished.coordinator.state.head).toMatchObject({ completed: 0 });
      if (step !== 'released') expect(finished.summer.sums.size).toBe(0);
    });
  }

  if (allowed < 2) return;

  test('different participants close at different steps', async () => {
    for (const first of steps) {
      for (const second of steps) {
        const finished = await runRound(n, mode, [
          [0, first],
          [1, second],
        ]);
        const { unmasked, expected } = sums(finished);
        expect(unmasked, `${first}, ${second}`).toEqual(expected);
        finished.close();
      }
    }
  });
});
