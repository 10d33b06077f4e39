/** Trying out the model of a run that is open in this tab. */
import { answerOf, truthOf } from '../core/answer.ts';
import { continueText } from '../core/continueText.ts';
import { HushError } from '../core/errors.ts';
import type { Examples } from '../core/dataset.ts';
import { outputsOf } from '../core/modelSpec.ts';
import type { Plan } from '../core/plan.ts';
import type { Random } from '../core/ports.ts';
import { tryInputOf } from '../core/tryOut.ts';
import type { Answered, Continuation, Drawing, ModelUse, Picture, TryOut } from '../core/tryOut.ts';
import { browserImages } from '../data/browserImages.ts';
import { drawnFigure } from '../data/drawing.ts';
import { figureIn, imageExample, oneExample, rowExample } from '../data/tryExamples.ts';

export interface TryOutOptions {
  readonly plan: Plan;
  readonly random: Random;
  /** The worker in which the model is, made ready for the newest one. */
  readonly use: () => Promise<ModelUse>;
  readonly onClose: () => void;
}

/** What does not go with the plan's data is a HushError `try/kind`. */
export function tryOutOf({ plan, random, use, onClose }: TryOutOptions): TryOut {
  const input = tryInputOf(plan);
  const predict = async (examples: Examples): Promise<Float32Array> => (await use()).predict(examples);
  const answer = async (examples: Examples, picture?: Picture): Promise<Answered> => ({
    answer: answerOf(plan, await predict(examples)),
    ...(picture && { picture }),
  });
  const ink = (figure: Uint8Array, side: number): Promise<Answered> =>
    answer(oneExample(figure, 1 / 255), pictureOf(oneExample(figure, 1 / 255), side, side, 1));
  return {
    async drawing(drawing: Drawing) {
      if (input?.kind !== 'drawing') throw otherKind('drawings');
      return ink(drawnFigure(drawing, input.side), input.side);
    },
    async image(file: Blob) {
      if (input?.kind === 'drawing') return ink(await figureIn(file, input.side, browserImages), input.side);
      if (input?.expected.kind !== 'images') throw otherKind('images');
      const { example, picture } = await imageExample(file, input.expected, browserImages);
      return answer(example, picture);
    },
    async row(cells) {
      if (input?.kind !== 'data' || input.expected.kind !== 'table') throw otherKind('rows');
      return answer(rowExample(cells, input.expected, plan.statistics !== undefined));
    },
    async heldOut(index) {
      const { example, of } = await (await use()).heldOut(index);
      const shown = input?.kind === 'drawing' ? pictureOf(example, input.side, input.side, 1) : undefined;
      return { ...(await answer(example, shown)), of, truth: truthOf(plan, example.labels[0] ?? 0) };
    },
    async continueText(continuation: Continuation) {
      if (input?.kind !== 'data' || input.expected.kind !== 'text') throw otherKind('texts');
      const vocabulary = outputsOf(plan.model).size;
      await continueText(continuation, { expected: input.expected, vocabulary, predict, random });
    },
    close: onClose,
  };
}

function pictureOf({ inputs, inputScale }: Examples, height: number, width: number, channels: number): Picture {
  return { height, width, channels, values: Float32Array.from(inputs, (value) => value * inputScale) };
}

function otherKind(what: string): HushError {
  return new HushError('try/kind', `The model of this plan does not take ${what}.`);
}
