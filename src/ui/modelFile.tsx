/** A tfjs layers model by file: its topology becomes the model of the plan that is being written. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { HushError } from '../core/errors.ts';
import { readModelFile } from '../core/layersFile.ts';
import type { ProblemView } from '../core/runView.ts';
import { bytes } from './format.ts';
import { ProblemNote } from './notes.tsx';
import { learnsValues, withModel } from './planText.ts';

/** Topologies are a few hundred kilobytes at most: what is larger is another file, such as that of the weights. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

interface Props {
  readonly text: string;
  readonly type: (text: string) => void;
  readonly problemOf: (thrown: unknown) => ProblemView;
  /** Other buttons, before this one. */
  readonly children?: ComponentChildren;
}

export function ModelFile(props: Props) {
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  // What is written while the file is being read stays.
  const latest = useRef(props);
  latest.current = props;
  const take = async (file: File): Promise<void> => {
    try {
      const json = await contentOf(file);
      const { text, type } = latest.current;
      const changed = withModel(text, readModelFile(file.name, json, learnsValues(text)));
      if (changed === undefined) throw noPlan();
      setProblem(undefined);
      type(changed);
    } catch (thrown) {
      setProblem(latest.current.problemOf(thrown));
    }
  };
  return (
    <>
      <div class="buttons">
        {props.children}
        <label class="button file-button">
          Use a model file
          <input
            type="file"
            class="visually-hidden"
            accept=".json,application/json"
            onChange={({ currentTarget: input }) => {
              const file = input.files?.[0];
              // The same file can be chosen again after it was mended.
              input.value = '';
              if (file) void take(file);
            }}
          />
        </label>
      </div>
      <p class="hint">
        A model file is the model.json of a tfjs layers model. Its layers go into the plan, the values of its weights do
        not.
      </p>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

async function contentOf(file: File): Promise<string> {
  if (file.size <= MAX_FILE_BYTES) return await file.text();
  throw new HushError(
    'model/file',
    `“${file.name}” has ${bytes(file.size)}, expected a model.json of at most ${bytes(MAX_FILE_BYTES)}.`,
  );
}

function noPlan(): HushError {
  return new HushError(
    'plan/invalid',
    'The text is no plan with a "model", expected one to put the file’s model into.',
    {
      advice: 'Choose an offered plan first, or correct the text.',
    },
  );
}
