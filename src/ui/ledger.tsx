/** Ledger and counters: signed records, what was abandoned, what was refused, and the files that can be saved. */
import { useState } from 'preact/hooks';
import type { ProblemView, RunView, SavedFile } from '../core/runView.ts';
import type { OpenRun } from './session.ts';
import { Button, Card, Facts } from './controls.tsx';
import { count, shortHash } from './format.ts';
import { ProblemNote } from './notes.tsx';
import { refusalWords } from './refusalText.ts';

interface Props {
  readonly view: RunView;
  readonly open: OpenRun;
  readonly problemOf: ProblemOf;
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
      <SaveButtons
        open={open}
        problemOf={problemOf}
        what={view.role === 'coordinator' ? ['model', 'ledger', 'plan', 'metrics'] : ['model']}
      />
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

type ProblemOf = (thrown: unknown) => ProblemView;

interface SaveProps {
  readonly open: OpenRun;
  readonly what: readonly SavedFile[];
  readonly problemOf: ProblemOf;
  readonly primary?: boolean;
}

/** What cannot be written is said here, where the button is. */
export function SaveButtons({ open, what, problemOf, primary = false }: SaveProps) {
  const [saving, setSaving] = useState<SavedFile | undefined>(undefined);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const none = open.view.value.modelHash === undefined;
  const save = (which: SavedFile): void => {
    setSaving(which);
    setProblem(undefined);
    open.run.actions
      .save(which)
      .catch((thrown: unknown) => setProblem(problemOf(thrown)))
      .finally(() => setSaving(undefined));
  };
  return (
    <>
      <div class="buttons">
        {what.map((which) => (
          <Button key={which} primary={primary} unavailable={none || saving !== undefined} onPress={() => save(which)}>
            {saving === which ? `Saving ${which}` : `Save ${which}`}
          </Button>
        ))}
      </div>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}
