/** The page of documentation about the plan: its schema, and the sentences that stand beside it. */
import { METRIC_NAMES } from '../../src/core/metrics.ts';
import { METRIC_MEANING, PLAN_MEANING } from '../../src/core/planMeaning.ts';
import { planSections } from './planFields.ts';
import type { PlanSection } from './planFields.ts';

/** Fields and forms that have no sentence, and sentences of fields that there are no longer. */
export function unexplained(): { readonly missing: readonly string[]; readonly stale: readonly string[] } {
  const keys = new Set(
    planSections().flatMap(({ key, form, fields }) => [...(form ? [key] : []), ...fields.map(({ key }) => key)]),
  );
  return {
    missing: [...keys].filter((key) => !PLAN_MEANING[key]),
    stale: Object.keys(PLAN_MEANING).filter((key) => !keys.has(key)),
  };
}

const INTRODUCTION = `# The plan

One JSON document says what is trained, by whom, on what, and under which rules. Its SHA-256, over the exact bytes, is in the
invite: what is launched is what everybody checks. It has at most 256 KiB. The plans that come with hushgrad are in
[plans/](../plans).

Written by \`npm run docs\` from the schema (\`src/core/plan.ts\`) and the sentences beside it (\`src/core/planMeaning.ts\`).
"required" fields must be there; of the others the value without them is given. What must fit together (classes and
outputs, data and model) is checked when a plan is read, and said with the field, its value and what was expected.
`;

export function planPage(): string {
  const sections = planSections().map(sectionText);
  const metrics = METRIC_NAMES.map((name) => `| \`${name}\` | ${cell(METRIC_MEANING[name])} |`);
  return [
    INTRODUCTION,
    ...sections,
    '## Metrics',
    '',
    'Computed from sums over all participants’ samples, of the validation part that each keeps aside, or of test data.',
    '',
    '| Metric | What it is |',
    '|---|---|',
    ...metrics,
    '',
  ].join('\n');
}

function sectionText({ key, form, fields }: PlanSection): string {
  const lines: string[] = [];
  if (form) lines.push(`### \`${form.path}\`: ${form.tag} "${form.name}"`, '', PLAN_MEANING[key] ?? '', '');
  else lines.push(key === '' ? '## Fields' : `## \`${key}\``, '');
  if (fields.length === 0) return lines.join('\n');
  const rows = fields.map(
    ({ key, path, value, byDefault }) =>
      `| \`${path}\` | ${cell(value)} | ${byDefault === 'required' || byDefault === 'none' ? byDefault : `\`${byDefault}\``} | ${cell(PLAN_MEANING[key] ?? '')} |`,
  );
  return [...lines, '| Field | Value | Without it | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
