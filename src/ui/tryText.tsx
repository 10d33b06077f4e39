/** Letting the model write on: a prompt, how daring and how much, and the text as it comes. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ProblemView } from '../core/runView.ts';
import type { TryOut } from '../core/tryOut.ts';
import { Button } from './controls.tsx';
import { ProblemNote } from './notes.tsx';

const MOST_TOKENS = 2000;

interface Props {
  readonly tryOut: TryOut;
  readonly problemOf: (thrown: unknown) => ProblemView;
}

export function TryText({ tryOut, problemOf }: Props) {
  const [prompt, setPrompt] = useState('');
  const [temperature, setTemperature] = useState(0.8);
  const [tokens, setTokens] = useState(200);
  const [written, setWritten] = useState<{ readonly after: string; readonly text: string } | undefined>(undefined);
  const [running, setRunning] = useState<AbortController | undefined>(undefined);
  const [problem, setProblem] = useState<ProblemView | undefined>(undefined);
  const last = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => last.current?.abort(), []);
  const id = useId();
  const write = (): void => {
    const control = (last.current = new AbortController());
    setRunning(control);
    setProblem(undefined);
    setWritten({ after: prompt, text: '' });
    const onText = (text: string): void => setWritten({ after: prompt, text });
    tryOut
      .continueText({ prompt, temperature, tokens, signal: control.signal, onText })
      .catch((thrown: unknown) => setProblem(problemOf(thrown)))
      .finally(() => setRunning(undefined));
  };
  return (
    <div class="try">
      <div class="try-given try-row">
        <div class="field">
          <label for={`${id}-prompt`}>How the text begins</label>
          <textarea
            id={`${id}-prompt`}
            rows={4}
            value={prompt}
            onInput={(event) => setPrompt(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for={`${id}-temperature`}>Temperature: {temperature.toFixed(1)}</label>
          <input
            id={`${id}-temperature`}
            type="range"
            min={0}
            max={2}
            step={0.1}
            value={temperature}
            aria-describedby={`${id}-about`}
            onInput={(event) => setTemperature(event.currentTarget.valueAsNumber)}
          />
          <p id={`${id}-about`} class="hint">
            At 0 the most probable every time, at 1 as the model has it, above it more daring.
          </p>
        </div>
        <div class="field">
          <label for={`${id}-tokens`}>Tokens, at most {MOST_TOKENS}</label>
          <input
            id={`${id}-tokens`}
            type="number"
            min={1}
            max={MOST_TOKENS}
            value={tokens}
            onChange={(event) => {
              const wished = Math.round(event.currentTarget.valueAsNumber);
              const fitting = Math.min(MOST_TOKENS, Math.max(1, Number.isNaN(wished) ? 1 : wished));
              event.currentTarget.value = String(fitting);
              setTokens(fitting);
            }}
          />
        </div>
        <div class="buttons">
          {running ? (
            <Button onPress={() => running.abort()}>Stop</Button>
          ) : (
            <Button primary onPress={write}>
              Write on
            </Button>
          )}
        </div>
      </div>
      <div class="answer">
        <p class="visually-hidden" role="status">
          {running ? 'Writing.' : written ? 'The text is written.' : ''}
        </p>
        {problem && <ProblemNote problem={problem} />}
        {written ? (
          <p class="written">
            <span class="soft">{written.after}</span>
            {written.text}
          </p>
        ) : (
          <p class="empty">No text yet.</p>
        )}
      </div>
    </div>
  );
}
