/** Who may take part, in words, and what each kind of admission does not promise. */
import type { Admission } from '../core/plan.ts';
import { quantity } from './format.ts';

/** "whoever has the link". */
export function admissionWords(admission: Admission, names?: number): string {
  switch (admission) {
    case 'anyone':
      return 'anyone';
    case 'link':
      return 'whoever has the link';
    case 'named':
      return names === undefined
        ? 'named people only'
        : `${quantity(names, 'named person', 'named people')}, nobody else`;
    default:
      return admission satisfies never;
  }
}

/** What admission does not promise. */
export function admissionLimit(admission: Admission): string {
  if (admission === 'named')
    return 'Each name stands for one key that the plan lists. Whoever wrote the plan chose them.';
  const who = admission === 'link' ? 'Whoever has the link' : 'Anyone';
  return `${who} can open many tabs, so that many keys may be one person, the coordinator too. Only named people can be told apart.`;
}
