/** In whose company a person is, and what follows from it: the sentences of the card on trust. */
import type { Plan } from '../core/plan.ts';
import type { RunView } from '../core/runView.ts';
import { count, quantity } from './format.ts';
import { fewestSummed } from './planFacts.ts';

/** "Ada, Ben and 3 more". */
export function nameList(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${count(rest)} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** Paragraphs for a participant. */
export function ownCompany(view: RunView): readonly string[] {
  const { group, plan, anonymitySet, knownColluders } = view;
  const told: string[] = [];
  if (group && plan) {
    const others = (members: number): number => Math.max(0, members - 1 - knownColluders);
    const most = others(group.members);
    const least = Math.min(most, others(fewestSummed(plan, group.members)));
    const range = least === most ? count(most) : `${count(least)} to ${count(most)}`;
    told.push(
      `In this round your update hides among ${range} ${most === 1 ? 'other' : 'others'}. ${nameable(group.names, plan)}`,
    );
    if (group.of > 1) {
      told.push(
        `You are in group ${count(group.index + 1)} of ${count(group.of)}, drawn at random by everyone together; its sum is of ${quantity(group.members, 'person', 'people')} at the most.`,
      );
    }
  }
  if (anonymitySet !== undefined)
    told.push(`In the last round it hid among ${quantity(anonymitySet, 'other', 'others')}.`);
  if (knownColluders > 0) {
    told.push(
      'The coordinator is in this same browser, and counts as one who sees more than the sum: it is taken off.',
    );
  }
  return told;
}

function nameable(names: readonly string[], plan: Plan): string {
  if (names.length > 0) return `You can name ${count(names.length)} of them: ${nameList(names)}.`;
  return plan.security.names.length > 0
    ? 'You can name none of them.'
    : 'You can name none of them: the plan lists no names.';
}

/** Paragraphs for the coordinator. */
export function coordinatorCompany(view: RunView): readonly string[] {
  const { round, anonymitySet, knownColluders, people } = view;
  const told: string[] = [];
  if (round && round.groups > 1) {
    const lost = round.lostGroups === 0 ? 'none is lost' : `${count(round.lostGroups)} lost, without their sum`;
    told.push(`This round has ${count(round.groups)} groups; ${lost}.`);
  }
  if (anonymitySet !== undefined) {
    const least = round && round.groups > 1 ? 'at least ' : '';
    told.push(`In the last round each update hid among ${least}${quantity(anonymitySet, 'other', 'others')}.`);
  }
  const named = people.filter(({ name, inRound }) => inRound && name !== undefined).length;
  if (named > 0) told.push(`${quantity(named, 'person', 'people')} in this round can be told by name.`);
  if (knownColluders > 0) {
    told.push('A participant is in this same browser, and counts as one who sees more than the sum: it is taken off.');
  }
  return told;
}
