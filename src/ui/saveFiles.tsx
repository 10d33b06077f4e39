/** Files of a run that can be saved: behind one button, a list that says what each is. */
import { useId, useState } from 'preact/hooks';
import { MODEL_FILES, RUN_FILES } from '../core/runView.ts';
import type { ProblemView, SavedFile } from '../core/runView.ts';
import { Button } from './controls.tsx';
import { ProblemNote } from './notes.tsx';
import type { OpenRun } from './session.ts';

interface Offer {
  /** As they lie in the folder of downloads. */
  readonly names: string;
  readonly about: string;
}

const OFFERS: Readonly<Record<SavedFile, Offer>> = {
  'model.safetensors': {
    names: 'model.safetensors',
    about: 'The model with its plan, for Python, Rust and a next federation.',
  },
  'model.json': { names: 'model.json and weights.bin', about: 'The model as TensorFlow.js reads it.' },
  'model-card.md': { names: 'model-card.md', about: 'What it is, whom it came from and how good it is, in words.' },
  'plan.json': { names: 'plan.json', about: 'The plan as it was launched.' },
  'metrics.csv': { names: 'metrics.csv', about: 'Figures by round, for a spreadsheet.' },
  'metrics.jsonl': { names: 'metrics.jsonl', about: 'The same with all that was counted, one round a line.' },
  'ledger.jsonl': { names: 'ledger.jsonl', about: 'The signed records, by which anyone can check the run.' },
};

interface Props {
  readonly open: OpenRun;
  readonly problemOf: (thrown: unknown) => ProblemView;
}

export function SaveFiles({ open, problemOf }: Props) {
  const [shown, show] = useState(false);
  return (
    <>
      <Button expanded={shown} unavailable={open.view.value.modelHash === undefined} onPress={() => show(!shown)}>
        Save files
      </Button>
      {shown && <SaveList {...{ open, problemOf }} />}
    </>
  );
}

/** What cannot be written is said here, where the button is. */
export function SaveList({ open, problemOf }: Props) {
  const [saving, setSaving] = useState<SavedFile | undefined>(undefined);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const id = useId();
  const files = open.view.value.role === 'coordinator' ? [...MODEL_FILES, ...RUN_FILES] : MODEL_FILES;
  const save = (file: SavedFile): void => {
    setSaving(file);
    setProblem(undefined);
    open.run.actions
      .save(file)
      .catch((thrown: unknown) => setProblem(problemOf(thrown)))
      .finally(() => setSaving(undefined));
  };
  return (
    <>
      <ul class="saves">
        {files.map((file) => (
          <li key={file}>
            <p>
              <span class="mono">{OFFERS[file].names}</span>
              <span id={`${id}-${file}`} class="soft">
                {OFFERS[file].about}
              </span>
            </p>
            <Button
              label={`Save ${OFFERS[file].names}`}
              describedBy={`${id}-${file}`}
              unavailable={saving !== undefined}
              onPress={() => save(file)}
            >
              {saving === file ? 'Saving' : 'Save'}
            </Button>
          </li>
        ))}
      </ul>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}
