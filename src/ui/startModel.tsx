/** Beginning with a saved model: its files are chosen on the Launch screen, and their plan is filled in. */
import { useId, useState } from 'preact/hooks';
import type { PlanDraft } from '../core/application.ts';
import type { ProblemView } from '../core/runView.ts';
import { sourceFile } from '../core/sourceFile.ts';
import { shortHash } from './format.ts';
import { ProblemNote } from './notes.tsx';
import type { Session } from './session.ts';

interface Props {
  readonly session: Session;
  /** What is about to be launched, where it can be. */
  readonly draft: PlanDraft | undefined;
  /** Takes the plan of a model that was chosen. */
  readonly onPlan: (text: string) => void;
}

export function StartModel({ session, draft, onPlan }: Props) {
  const [reading, setReading] = useState(false);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const id = useId();
  const wanted = draft?.plan.start?.modelHash;
  const take = (input: HTMLInputElement): void => {
    const files = [...(input.files ?? [])].map(sourceFile);
    // The same file can be chosen again after it was saved anew.
    input.value = '';
    if (files.length === 0) return;
    setReading(true);
    setProblem(undefined);
    session.application
      .readModel(files)
      .then(({ modelHash, saved, planText }) => {
        session.models.value = new Map(session.models.value).set(modelHash, saved);
        // A plan that asks for this very model stays as it is.
        if (modelHash !== wanted) onPlan(planText);
      })
      .catch((thrown: unknown) => setProblem(session.problemOf(thrown)))
      .finally(() => setReading(false));
  };
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Begin with a saved model</h2>
      <p class="soft">
        A federation can go on from a model that was saved here, with the same plan or one that was changed. It goes to
        everybody who joins.
      </p>
      <div class="buttons">
        <label class="button file-button" aria-disabled={reading ? 'true' : undefined}>
          {reading ? 'Reading' : 'Choose a saved model'}
          <input
            type="file"
            class="visually-hidden"
            multiple
            accept=".safetensors,.json,.bin"
            aria-describedby={`${id}-files`}
            disabled={reading}
            onChange={(event) => take(event.currentTarget)}
          />
        </label>
      </div>
      <p id={`${id}-files`} class="hint">
        One file of safetensors, or model.json and weights.bin together.
      </p>
      {problem && <ProblemNote problem={problem} />}
      {wanted !== undefined && (
        <p role="status">
          The plan begins with the model{' '}
          <span class="mono" title={wanted}>
            {shortHash(wanted)}
          </span>
          {session.models.value.has(wanted) ? ', which was chosen.' : ': choose its file before the launch.'}
        </p>
      )}
    </section>
  );
}
