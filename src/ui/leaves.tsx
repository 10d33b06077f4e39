/** What leaves this tab: a few numbers of the true update beside what is sent for them, and how well one update hides. */
import { groupMinimum } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import type { RoundView, RunView } from '../core/runView.ts';
import { Card, Facts } from './controls.tsx';
import { bytes, coordinate, count } from './format.ts';
import { fewestSummed, maskedUpdateBytes, meanGroup } from './planFacts.ts';

export function LeavesCard({ view }: { readonly view: RunView }) {
  const coordinator = view.role === 'coordinator';
  return (
    <Card title={coordinator ? 'What reaches this tab' : 'What leaves this tab'} name="leaves">
      {view.glimpse && <Glimpse {...view.glimpse} />}
      {hiding(view).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <Facts
        of={[
          ['Sent so far', bytes(view.bytesUp)],
          ['Received so far', bytes(view.bytesDown)],
          [
            'Received a round',
            coordinator && view.bytesDownPerRound !== undefined
              ? `${bytes(view.bytesDownPerRound)} by each person`
              : bytes(view.bytesDownPerRound),
          ],
        ]}
      />
    </Card>
  );
}

function Glimpse({ stays, sent }: NonNullable<RunView['glimpse']>) {
  return (
    <div class="glimpse">
      <div>
        <p class="sub">true update (stays)</p>
        <p class="digits">
          {stays.slice(0, 9).map((value, i) => (
            <span key={i}>{coordinate(value)} </span>
          ))}
        </p>
      </div>
      <div>
        <p class="sub">what is sent</p>
        <p class="digits">
          {sent.slice(0, 15).map((word, i) => (
            <span key={i}>{word} </span>
          ))}
        </p>
      </div>
    </div>
  );
}

/** Paragraphs; the coordinator reads the same fact from the other side. */
function hiding(view: RunView): readonly string[] {
  const { round, plan } = view;
  const coordinator = view.role === 'coordinator';
  const told: string[] = [];
  if (!coordinator && !view.glimpse) told.push(nothingYet(view));
  if (round && plan) {
    told.push(round.groups > 1 && coordinator ? seenOfGroups(round, plan) : seenOfOne(round, plan, coordinator));
  } else if (coordinator) {
    told.push('Masked updates, engine names, sample counts and progress. No rows, no single update.');
  }
  return told;
}

function seenOfOne(round: RoundView, plan: Plan, coordinator: boolean): string {
  const fewest = Math.max(round.threshold, fewestSummed(plan, round.size));
  const spare = round.size - fewest;
  const seen = coordinator
    ? `Of ${round.size} masked updates this tab learns only the sum of at least ${fewest}, never one of them.`
    : `One of ${round.size}; the coordinator sees only the sum of at least ${fewest}.`;
  const leave = `If ${spare} ${spare === 1 ? 'leaves' : 'leave'}`;
  if (round.groups > 1) {
    return spare > 0
      ? `${seen} ${leave}, your group’s sum still counts.`
      : `${seen} If one leaves, your group’s sum is lost.`;
  }
  return spare > 0
    ? `${seen} ${leave}, the round still completes.`
    : `${seen} If one leaves, the round is abandoned and tried again.`;
}

function seenOfGroups(round: RoundView, plan: Plan): string {
  const fewest = Math.max(round.threshold, groupMinimum(plan));
  return `Of ${count(round.size)} masked updates this tab learns one sum for each of ${count(round.groups)} groups, of at least ${fewest} each. A group that too many leave loses its own sum only.`;
}

function nothingYet({ plan, round }: RunView): string {
  if (!plan) return 'Nothing of an update yet: the plan is not known, and nothing is trained.';
  const size = bytes(maskedUpdateBytes(plan, round?.size ?? meanGroup(plan, plan.aggregation.cohort.target)));
  return `Nothing of an update yet. Each round sends one masked update of ${size}; its first numbers show here.`;
}
