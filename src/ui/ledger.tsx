/** Ledger and counters: signed records, what was abandoned, what was refused, and the files that can be saved. */
import type { ProblemView, RunView } from '../core/runView.ts';
import type { OpenRun } from './session.ts';
import { Card, Facts } from './controls.tsx';
import { count, shortHash } from './format.ts';
import { refusalWords } from './refusalText.ts';
import { SaveFiles } from './saveFiles.tsx';

interface Props {
  readonly view: RunView;
  readonly open: OpenRun;
  readonly problemOf: (thrown: unknown) => ProblemView;
}

export function LedgerCard({ view, open, problemOf }: Props) {
  const { ledger, refusals } = view;
  return (
    <Card title="Ledger and counters" name="ledger">
      <Facts
        of={[
          ['Signed records', count(ledger.records)],
          ['Abandoned rounds', count(ledger.abandoned)],
          ['Head', <Digest of={ledger.head} />],
          ['Model', <Digest of={view.modelHash} />],
          ['Plan', <Digest of={view.planHash} />],
          ['Parameters', count(view.parameters)],
        ]}
      />
      <p class="sub">Refused, by reason</p>
      {refusals.length === 0 ? (
        <p class="empty">None.</p>
      ) : (
        <dl class="counts">
          {refusals.map(({ reason, count: times }) => (
            <div key={reason}>
              <dt title={reason}>{refusalWords(reason)}</dt>
              <dd>{count(times)}</dd>
            </div>
          ))}
        </dl>
      )}
      <SaveFiles {...{ open, problemOf }} />
    </Card>
  );
}

function Digest({ of }: { readonly of: RunView['modelHash'] }) {
  return (
    <span class="mono" title={of}>
      {shortHash(of)}
    </span>
  );
}
