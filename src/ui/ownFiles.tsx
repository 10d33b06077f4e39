/** A person's own files: choosing them, what reading them found, and the word that they are what is trained on. */
import { useEffect, useId, useReducer, useRef, useState } from 'preact/hooks';
import type { AddedFiles, OwnFiles, OwnFilesView } from '../core/application.ts';
import type { ExpectedData } from '../core/dataSchema.ts';
import { ChooseFiles } from './chooseFiles.tsx';
import { Button, Facts, Heading } from './controls.tsx';
import { DataFound } from './dataFound.tsx';
import { expectations } from './expectations.ts';
import { bytes, count, quantity } from './format.ts';
import { ProblemNote } from './notes.tsx';
import { expectedWords } from './planFacts.ts';
import { useThrottled } from './timing.ts';

/** Progress is read out at most this often. */
const ANNOUNCE_EVERY_MS = 2000;

export function OwnFilesCard({ files }: { readonly files: OwnFiles }) {
  const [, again] = useReducer((changes: number) => changes + 1, 0);
  useEffect(() => files.onChange(() => again(undefined)), [files]);
  const view = files.view();
  const title = useRef<HTMLDivElement>(null);
  const id = useId();
  if (view.expected === undefined) return null;
  // The pressed button goes away with what it was for.
  const toTitle = (): void => title.current?.focus({ preventScroll: true });
  return (
    <section class="card card-files" aria-labelledby={id}>
      <div ref={title} tabIndex={-1} class="files-title">
        <Heading id={id}>Your files</Heading>
      </div>
      {view.accepted ? (
        <Accepted {...{ files, view, toTitle }} />
      ) : (
        <Choosing {...{ files, view, toTitle }} expected={view.expected} />
      )}
    </section>
  );
}

interface Props {
  readonly files: OwnFiles;
  readonly view: OwnFilesView;
  readonly toTitle: () => void;
}

function Choosing({ files, view, toTitle, expected }: Props & { readonly expected: ExpectedData }) {
  const { added, reading, report, problem } = view;
  const [keep, setKeep] = useState(view.kept);
  const kept = report?.kept ?? 0;
  const said = useSpoken(view);
  return (
    <>
      <p>
        This plan asks for {expectedWords(expected)}. Files are read in this tab; nothing of them is sent, and nothing
        is trained before you say so.
      </p>
      <details>
        <summary>What is expected of them</summary>
        <Facts of={expectations(expected)} />
      </details>
      <ChooseFiles
        more={added.length > 0}
        unavailable={reading !== undefined}
        onFiles={(chosen) => void files.add(chosen)}
      />
      {reading && <Reading progress={reading.progress} onStop={() => files.stop()} />}
      <p class="visually-hidden" role="status">
        {said}
      </p>
      {problem && <ProblemNote problem={problem} />}
      <Added
        {...{ added }}
        unavailable={reading !== undefined}
        onRemove={(id) => {
          toTitle();
          void files.remove(id);
        }}
      />
      {report && <DataFound {...{ report, expected }} />}
      {kept > 0 && (
        <div class="files-accept">
          <label class="check">
            <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
            <span>Keep these files in this browser, so that they need not be chosen again for this plan</span>
          </label>
          <div class="buttons">
            <Button
              primary
              unavailable={reading !== undefined}
              onPress={() => {
                toTitle();
                void files.accept(keep);
              }}
            >
              Train on {quantity(kept, 'example', 'examples')}
            </Button>
            {view.kept && <Button onPress={() => void files.forget()}>Forget the kept files</Button>}
          </div>
        </div>
      )}
    </>
  );
}

function Accepted({ files, view: { added, report, problem, kept, expected }, toTitle }: Props) {
  return (
    <>
      <Facts
        of={[
          ['Trained on', quantity(report?.kept ?? 0, 'example', 'examples')],
          ['From', added.map(({ name }) => name).join(', ')],
          ['Kept', kept ? 'in this browser, until you forget them' : 'in this tab only, until it is closed'],
        ]}
      />
      {problem && <ProblemNote problem={problem} />}
      {kept && (
        <Button
          onPress={() => {
            toTitle();
            void files.forget();
          }}
        >
          Forget them
        </Button>
      )}
      {report && expected && (
        <details>
          <summary>What reading them found</summary>
          <DataFound {...{ report, expected }} />
        </details>
      )}
    </>
  );
}

type Progress = NonNullable<OwnFilesView['reading']>['progress'];

function Reading({ progress, onStop }: { readonly progress: Progress; readonly onStop: () => void }) {
  const id = useId();
  const fraction = progress && progress.bytesTotal > 0 ? progress.bytesRead / progress.bytesTotal : 0;
  return (
    <div class="files-reading">
      <label for={id}>
        {progress ? `Reading ${progress.file}` : 'Reading'}
        <span class="soft">
          {progress &&
            ` ${bytes(progress.bytesRead)} of ${bytes(progress.bytesTotal)}, ${quantity(progress.kept, 'example', 'examples')}, ${count(progress.refused)} refused`}
        </span>
      </label>
      <progress id={id} max={1} value={fraction} />
      <Button onPress={onStop}>Stop reading</Button>
    </div>
  );
}

function Added({
  added,
  unavailable,
  onRemove,
}: {
  readonly added: readonly AddedFiles[];
  readonly unavailable: boolean;
  readonly onRemove: (id: number) => void;
}) {
  if (added.length === 0) return null;
  return (
    <ul class="files-added">
      {added.map(({ id, name, files, bytes: size }) => (
        <li key={id}>
          <p>
            {name}{' '}
            <span class="soft">{files > 1 ? `${quantity(files, 'file', 'files')}, ${bytes(size)}` : bytes(size)}</span>
          </p>
          <Button {...{ unavailable }} onPress={() => onRemove(id)}>
            Remove<span class="visually-hidden"> {name}</span>
          </Button>
        </li>
      ))}
    </ul>
  );
}

function useSpoken({ reading, report }: OwnFilesView): string {
  return useThrottled(spokenNow(reading !== undefined, report), ANNOUNCE_EVERY_MS);
}

function spokenNow(reading: boolean, report: OwnFilesView['report']): string {
  if (reading) return 'Reading the files.';
  if (report === undefined) return '';
  return `${quantity(report.kept, 'example', 'examples')} can be trained on, ${count(report.refused.count)} refused.`;
}
