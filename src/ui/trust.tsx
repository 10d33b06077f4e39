/** Who is admitted, in whose company an update is, who was left out. */
import type { CulpritView, RunView } from '../core/runView.ts';
import { admissionLimit, admissionWords } from './admissionText.ts';
import { Card, Facts } from './controls.tsx';
import { count, grouped, shortHash } from './format.ts';
import { coordinatorCompany, ownCompany } from './trustText.ts';

export function TrustCard({ view }: { readonly view: RunView }) {
  const { plan, culprits, role } = view;
  if (!plan) return null;
  const { admission, names } = plan.security;
  const sentences = role === 'coordinator' ? coordinatorCompany(view) : ownCompany(view);
  return (
    <Card title={role === 'coordinator' ? 'Who is admitted' : 'In whose company'} name="trust">
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <Facts of={[['Admitted', admissionWords(admission, names.length)]]} />
      <p class="hint">{admissionLimit(admission)}</p>
      {names.length > 0 && <Names view={view} />}
      {culprits.length > 0 && <Culprits of={culprits} />}
    </Card>
  );
}

/** More are not shown: they are in the plan. */
const MAX_NAMES = 200;

/** The plan's list; who of them is in the round is told by the shape of the mark and in words. */
function Names({ view }: { readonly view: RunView }) {
  const names = view.plan?.security.names ?? [];
  const here = new Set(view.people.flatMap(({ name, inRound }) => (inRound && name !== undefined ? [name] : [])));
  return (
    <details>
      <summary>The plan’s list of names</summary>
      <ul class="names">
        {names.slice(0, MAX_NAMES).map(({ name, key }) => (
          <li key={key}>
            <span>
              {name}
              {here.has(name) && <span class="soft">, in this round</span>}
            </span>
            <span class="mono" title={grouped(key)}>
              {shortHash(key)}
            </span>
          </li>
        ))}
      </ul>
      {names.length > MAX_NAMES && <p class="hint">And {count(names.length - MAX_NAMES)} more in the plan.</p>}
    </details>
  );
}

function Culprits({ of }: { readonly of: readonly CulpritView[] }) {
  return (
    <>
      <p class="sub">Left out for breaking the rules</p>
      <ul class="names">
        {of.map(({ id, name }) => (
          <li key={id}>
            <span>{name ?? 'not named'}</span>
            <span class="mono" title={id}>
              {shortHash(id)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
