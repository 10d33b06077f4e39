/** Giving the model an image: chosen, dropped, or one that was held out. */
import { useState } from 'preact/hooks';
import type { TryOut } from '../core/tryOut.ts';
import { Button } from './controls.tsx';
import { AnswerView, useAsked } from './tryAnswer.tsx';
import type { Asked, WayProps } from './tryAnswer.tsx';

export function TryImage({ tryOut, problemOf, hasHeldOut }: WayProps) {
  const asked = useAsked(problemOf);
  const [over, setOver] = useState(false);
  const take = (file: Blob): void => asked.ask(() => tryOut.image(file));
  return (
    <div class="try">
      <div
        class={over ? 'try-given drop-zone over' : 'try-given drop-zone'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const file = event.dataTransfer?.files[0];
          if (file) take(file);
        }}
      >
        <div class="buttons">
          <ChooseImage onFile={take} />
          {hasHeldOut && <HeldOutButton {...{ tryOut, asked }} />}
        </div>
        <p class="hint">or drop one here</p>
      </div>
      <AnswerView asked={asked} />
    </div>
  );
}

export function ChooseImage({ onFile }: { readonly onFile: (file: Blob) => void }) {
  return (
    <label class="button file-button">
      Choose an image
      <input
        type="file"
        class="visually-hidden"
        accept="image/*"
        onChange={({ currentTarget: input }) => {
          const file = input.files?.[0];
          // The same file can be chosen again after it was changed.
          if (file) onFile(file.slice(0, file.size, file.type));
          input.value = '';
        }}
      />
    </label>
  );
}

/** One after the other of the examples that no participant trained on, or of one's own that were kept aside. */
export function HeldOutButton({
  tryOut,
  asked,
  onPress,
}: {
  readonly tryOut: TryOut;
  readonly asked: Asked;
  readonly onPress?: () => void;
}) {
  const [next, setNext] = useState(0);
  return (
    <Button
      onPress={() => {
        setNext(next + 1);
        onPress?.();
        asked.ask(() => tryOut.heldOut(next));
      }}
    >
      Next held-out example
    </Button>
  );
}
