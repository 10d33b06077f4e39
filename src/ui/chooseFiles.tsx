/** Where files come in: two real file inputs, and a place to drop files and folders on. */
import { useState } from 'preact/hooks';
import { sourceFile } from '../core/sourceFile.ts';
import type { SourceFile } from '../core/sourceFile.ts';
import { droppedFiles } from './droppedFiles.ts';

/** No attribute of JSX: the property is all that there is in common between browsers. */
function asFolder(input: HTMLInputElement | null): void {
  if (input) input.webkitdirectory = true;
}

interface Props {
  /** Some are there already. */
  readonly more: boolean;
  readonly unavailable: boolean;
  readonly onFiles: (files: readonly SourceFile[]) => void;
}

export function ChooseFiles({ more, unavailable, onFiles }: Props) {
  const [over, setOver] = useState(false);
  const take = (input: HTMLInputElement): void => {
    const chosen = [...(input.files ?? [])].map(sourceFile);
    // The same file can be chosen again after it was mended.
    input.value = '';
    onFiles(chosen);
  };
  return (
    <div
      class={over ? 'drop-zone over' : 'drop-zone'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!unavailable);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        // The browser empties the transfer when this handler returns, so it is asked for its entries at once.
        if (!unavailable && event.dataTransfer) void droppedFiles(event.dataTransfer).then(onFiles);
      }}
    >
      <div class="buttons">
        <label class="button file-button" aria-disabled={unavailable ? 'true' : undefined}>
          {more ? 'Add more files' : 'Choose files'}
          <input
            type="file"
            class="visually-hidden"
            multiple
            disabled={unavailable}
            onChange={(event) => take(event.currentTarget)}
          />
        </label>
        <label class="button file-button" aria-disabled={unavailable ? 'true' : undefined}>
          {more ? 'Add a folder' : 'Choose a folder'}
          <input
            type="file"
            class="visually-hidden"
            ref={asFolder}
            disabled={unavailable}
            onChange={(event) => take(event.currentTarget)}
          />
        </label>
      </div>
      <p class="hint">or drop files and folders here</p>
    </div>
  );
}
