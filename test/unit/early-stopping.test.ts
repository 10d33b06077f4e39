/** Training that ends before the plan's last round: when, and that everyone finds so in the ledger alone. */
import { afterEach, describe, expect, it } from 'vitest';
import { isStopped, judge, UNJUDGED } from '../../src/core/earlyStopping.ts';
import type { Plan } from '../../src/core/plan.ts';
import { verifyLedger } from '../../src/federation/ledger.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { Stage } from '../support/stage.ts';

const patient = { patienceRounds: 2, minimumChange: 1 / 64 };

function planWith(evaluation: Partial<Plan['evaluation']>): Plan {
  return { ...samplePlan(), evaluation: { validationFraction: 0.1, earlyStopping: patient, ...evaluation } };
}

/** Out of 1,024 samples each, so many of which are right. */
const measured = (correct: number) => ({ lossSum: 1024 - correct, correct, samples: 1024 });

/** After how many of these rounds training ends. */
function endOf(plan: Plan, rounds: readonly ReturnType<typeof measured>[]): number | undefined {
  let judgement = UNJUDGED;
  const at = rounds.findIndex((figures) => {
    judgement = judge(plan, judgement, figures);
    return isStopped(plan, judgement);
  });
  return at < 0 ? undefined : at + 1;
}

describe('the judgement of a round', () => {
  it.each([
    ['goes on while it gets better', [100, 200, 300, 400], undefined],
    ['ends after so many rounds that were no better', [100, 200, 200, 200, 900], 4],
    ['takes a change up to the least for none', [100, 116, 116], 3],
    ['counts what is gained over several rounds', [100, 112, 124, 136, 148], undefined],
    ['compares with the best, not with the round before', [500, 100, 300, 400], 3],
    ['begins anew after each gain', [100, 100, 300, 300, 500, 500, 500], 7],
  ] as const)('%s', (_, correct, end) => {
    expect(endOf(planWith({}), correct.map(measured))).toBe(end);
    // The loss falls as hits rise.
    expect(endOf(planWith({ metric: 'loss' }), correct.map(measured))).toBe(end);
  });

  it('leaves out rounds in which nothing was measured', () => {
    const none = { lossSum: 0, correct: 0, samples: 0 };
    expect(endOf(planWith({}), [measured(5), none, none, none, measured(5), none, measured(5)])).toBe(7);
  });

  it('never ends a training whose plan does not ask for it', () => {
    const plan = planWith({});
    const { earlyStopping: _, ...evaluation } = plan.evaluation;
    expect(
      endOf(
        { ...plan, evaluation },
        Array.from({ length: 50 }, () => measured(5)),
      ),
    ).toBeUndefined();
  });
});

describe('a federation', () => {
  let stage: Stage | undefined;
  afterEach(() => stage?.close());

  /** Its validation figures never change. */
  const document = (earlyStopping?: object) => ({
    ...planDocument({ people: 4, rounds: 9 }),
    evaluation: { validationFraction: 0.1, ...(earlyStopping && { earlyStopping }) },
  });

  it('measures once more and ends when the plan says so; everyone finds the same in the ledger', async () => {
    stage = await Stage.open(document(patient));
    const { coordinator, plan } = stage;
    const initial = coordinator.state.head.modelHash;
    await stage.joinAll(4);
    await stage.finished();
    expect(coordinator.state.head).toMatchObject({ completed: 3, records: 4, abandoned: 0 });
    const kinds = coordinator.records.map(({ body }) => body.status === 'complete' && body.kind);
    expect(kinds).toEqual(['train', 'train', 'train', 'evaluate']);
    expect(coordinator.view().sentence).toBe('Stopped early, after 3 of 9 rounds: the model no longer got better.');
    for (const { participant } of stage.actors) {
      await until(participant, () => participant.state.head?.records === 4 && participant.state.phase === 'finished');
      expect(participant.state.head).toEqual(coordinator.state.head);
      expect(participant.view().sentence).toMatch(/^Stopped early, after 3 of 9 rounds/);
      // Its own figures are its own; in this tab they are shown.
      expect(participant.view().own).toMatchObject({ round: 3, part: 'validation', samples: 10 });
      expect(participant.refusals).toEqual([]);
    }
    const context = { binding: coordinator.state.binding, plan, coordinatorKey: coordinator.invite.key };
    expect(await verifyLedger(context, initial, coordinator.records)).toEqual(coordinator.state.head);
    const tireless = { ...context, plan: { ...plan, evaluation: { validationFraction: 0.1 } } };
    await expect(verifyLedger(tireless, initial, coordinator.records)).rejects.toMatchObject({
      code: 'ledger/early-end',
    });
    const hasty = { ...plan.evaluation, earlyStopping: { ...patient, patienceRounds: 1 } };
    const hurried = { ...context, plan: { ...plan, evaluation: hasty } };
    await expect(verifyLedger(hurried, initial, coordinator.records)).rejects.toMatchObject({
      code: 'ledger/beyond-plan',
    });
  });

  it.each([
    ['that has no early stopping', undefined],
    ['whose early stopping is not due', patient],
  ])('takes part in no last measurement under a plan %s', async (_, earlyStopping) => {
    stage = await Stage.open(document(earlyStopping));
    stage.coordinator.lies = [
      during(
        1,
        telling('begin', (body) => ({ ...body, kind: 'evaluate' as const })),
      ),
    ];
    await stage.joinAll(4);
    expect(new Set(await stage.refusals(1))).toEqual(new Set(['round/kind']));
    expect(stage.unmaskings(1)).toBe(0);
  });
});
