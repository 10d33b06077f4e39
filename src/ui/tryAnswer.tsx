/** What the model answers: probabilities by class as bars with numbers, or a value; and asking it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answered, Picture, TryOut } from '../core/tryOut.ts';
import type { ProblemView } from '../core/runView.ts';
import { percent } from './format.ts';
import { ProblemNote } from './notes.tsx';

/** What every way of trying is given. */
export interface WayProps {
  readonly tryOut: TryOut;
  readonly problemOf: (thrown: unknown) => ProblemView;
  /** There are examples in this tab that the model was not trained on. */
  readonly hasHeldOut: boolean;
}

/** Less probable ones are counted. */
const SHOWN_CLASSES = 10;

const valueFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

export interface Asked {
  readonly answered: Answered | undefined;
  readonly problem: ProblemView | undefined;
  readonly busy: boolean;
  /** Asks; an answer to what was asked before is let go. */
  ask(work: () => Promise<Answered>): void;
  clear(): void;
}

export function useAsked(problemOf: (thrown: unknown) => ProblemView): Asked {
  const [state, setState] = useState<Omit<Asked, 'ask' | 'clear'>>(NOTHING);
  const turn = useRef(0);
  const ask = (work: () => Promise<Answered>): void => {
    const own = ++turn.current;
    const tell = (next: Omit<Asked, 'ask' | 'clear'>): void => {
      if (own === turn.current) setState(next);
    };
    setState({ ...state, busy: true, problem: undefined });
    work().then(
      (answered) => tell({ ...NOTHING, answered }),
      (thrown: unknown) => tell({ ...NOTHING, problem: problemOf(thrown) }),
    );
  };
  const clear = (): void => {
    turn.current++;
    setState(NOTHING);
  };
  return { ...state, ask, clear };
}

const NOTHING = { answered: undefined, problem: undefined, busy: false };

export function AnswerView({ asked, unit }: { readonly asked: Asked; readonly unit?: string }) {
  const { answered, problem, busy } = asked;
  return (
    <div class="answer">
      <p class="visually-hidden" role="status">
        {busy ? '' : spoken(answered, unit)}
      </p>
      {problem && <ProblemNote problem={problem} />}
      {answered ? (
        <>
          <Best {...{ answered, unit }} />
          {answered.picture && <Seen picture={answered.picture} />}
        </>
      ) : (
        !problem && <p class="empty">{busy ? 'Computing.' : 'No answer yet.'}</p>
      )}
    </div>
  );
}

function Best({ answered, unit }: { readonly answered: Answered; readonly unit: string | undefined }) {
  const { answer, truth } = answered;
  if (answer.kind === 'value') {
    return (
      <p>
        <strong class="answer-value">{valueFormat.format(answer.value)}</strong> {unit}
        {truth !== undefined && <span class="soft">, and it was {valueFormat.format(Number(truth))}</span>}
      </p>
    );
  }
  const shown = answer.classes.slice(0, SHOWN_CLASSES);
  const more = answer.classes.length - shown.length;
  return (
    <>
      <ol class="answer-classes">
        {shown.map(({ name, probability }) => (
          <li key={name}>
            <span class="answer-name">{name}</span>
            <svg class="answer-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={100 * probability} height="8" />
            </svg>
            <span class="number">{percent(probability)}</span>
          </li>
        ))}
      </ol>
      {more > 0 && <p class="hint">And {more} less probable ones.</p>}
      {truth !== undefined && <p class="soft">It is of the class “{truth}”.</p>}
    </>
  );
}

function spoken(answered: Answered | undefined, unit: string | undefined): string {
  if (!answered) return '';
  const { answer, truth } = answered;
  if (answer.kind === 'value') return `${valueFormat.format(answer.value)} ${unit ?? ''}`;
  const [best] = answer.classes;
  const is = truth === undefined ? '' : ` It is of the class ${truth}.`;
  return best ? `Most probable: ${best.name}, ${percent(best.probability)}.${is}` : '';
}

/** The pixels as the model has them, so that one sees what was made of a stroke or a photograph. */
function Seen({ picture }: { readonly picture: Picture }) {
  const { height, width, channels, values } = picture;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 3; c++) {
        image.data[4 * i + c] = 255 * (values[i * channels + (channels === 3 ? c : 0)] ?? 0);
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [picture]);
  return (
    <figure class="seen">
      <canvas ref={canvas} width={width} height={height} role="img" aria-label="What the model sees" />
      <figcaption class="hint">
        What the model sees: {width} × {height} pixels
      </figcaption>
    </figure>
  );
}
