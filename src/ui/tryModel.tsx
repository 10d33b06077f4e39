/** Trying the model: it is given something, and says what it makes of it. Nothing of it leaves the tab. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProblemView, RunView } from '../core/runView.ts';
import { tryInputOf } from '../core/tryOut.ts';
import type { TryInput, TryOut } from '../core/tryOut.ts';
import { Button, Card } from './controls.tsx';
import { quantity } from './format.ts';
import type { OpenRun } from './session.ts';
import type { WayProps } from './tryAnswer.tsx';
import { TryDrawing } from './tryDrawing.tsx';
import { TryImage } from './tryImage.tsx';
import { TryRow } from './tryRow.tsx';
import { TryText } from './tryText.tsx';

interface Props {
  readonly open: OpenRun;
  readonly problemOf: (thrown: unknown) => ProblemView;
}

export function TryModelCard({ open, problemOf }: Props) {
  const view = open.view.value;
  const [tryOut, setTryOut] = useState<TryOut | undefined>(undefined);
  const area = useRef<HTMLDivElement>(null);
  // A worker that was opened for it goes with the card.
  useEffect(() => () => tryOut?.close(), [tryOut]);
  useEffect(() => {
    if (tryOut) area.current?.focus({ preventScroll: true });
  }, [tryOut]);
  const input = view.plan && tryInputOf(view.plan);
  if (input === undefined) return null;
  return (
    <Card title="Try the model" name="try">
      <p class="soft">
        The model as it is {after(view)}. It is used in this tab; nothing that you give it is sent anywhere.
      </p>
      <div class="buttons">
        <Button expanded={tryOut !== undefined} onPress={() => setTryOut(tryOut ? undefined : open.run.tryOut())}>
          {tryOut ? 'Close' : 'Try it'}
        </Button>
      </div>
      {tryOut && (
        <div ref={area} tabIndex={-1} class="try-area">
          <Way {...{ view, input, tryOut, problemOf }} />
        </div>
      )}
    </Card>
  );
}

function Way({
  view,
  input,
  tryOut,
  problemOf,
}: {
  readonly view: RunView;
  readonly input: TryInput;
  readonly tryOut: TryOut;
  readonly problemOf: WayProps['problemOf'];
}) {
  const hasHeldOut = view.role === 'participant' || view.plan?.data.kind === 'public';
  const props = { tryOut, problemOf, hasHeldOut };
  if (input.kind === 'drawing') return <TryDrawing {...props} />;
  switch (input.expected.kind) {
    case 'images':
      return <TryImage {...props} />;
    case 'table':
      return <TryRow {...props} expected={input.expected} />;
    case 'text':
      return <TryText {...{ tryOut, problemOf }} />;
    default:
      return input.expected satisfies never;
  }
}

/** The last measurement of a run is of the model that it ended with. */
function after({ round, curve }: RunView): string {
  const rounds = Math.max(round?.completed ?? 0, curve.at(-1)?.round ?? 0);
  return `after ${quantity(rounds, 'round', 'rounds')}`;
}
