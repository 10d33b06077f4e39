/** A made-up model that answers, for the screen gallery and the screens' tests. */
import type { ExpectedData } from '../../src/core/dataSchema.ts';
import type { Plan } from '../../src/core/plan.ts';
import { HushError } from '../../src/core/errors.ts';
import type { RunView } from '../../src/core/runView.ts';
import type { Answer, Answered, Picture, TryOut } from '../../src/core/tryOut.ts';
import { running } from './fixtures.ts';
import { plan } from './fixturePlans.ts';
import { IMAGES, TABLE, TEXT } from './fixtureFiles.ts';

const own = (name: string, schema: ExpectedData, task: Plan['task'] = plan.task): RunView => ({
  ...running,
  plan: { ...plan, name, task, data: { kind: 'private', schema } },
});

export const triedRuns: Readonly<Record<string, RunView>> = {
  drawing: { ...running, plan },
  image: own('Shapes', IMAGES),
  row: own('Penguins, by island', TABLE),
  text: own('Speeches', TEXT, { kind: 'next-token' }),
};

const SEVEN: Answer = {
  kind: 'classes',
  classes: [0.9312, 0.0405, 0.0102, 0.0071, 0.0049, 0.0031, 0.0018, 0.0009, 0.0002, 0.0001].map((probability, i) => ({
    name: String((i + 7) % 10),
    probability,
  })),
};

const PICTURE: Picture = {
  height: 28,
  width: 28,
  channels: 1,
  values: Float32Array.from({ length: 784 }, (_, i) => {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    const bar = y >= 5 && y < 8 && x >= 7 && x < 20;
    return bar || (y >= 8 && y < 23 && Math.abs(x - 18.5 + (y - 8) * 0.45) < 1.6) ? 1 : 0;
  }),
};

const SPECIES: Answer = {
  kind: 'classes',
  classes: [
    { name: 'Gentoo', probability: 0.872 },
    { name: 'Adelie', probability: 0.117 },
    { name: 'Chinstrap', probability: 0.011 },
  ],
};

const WRITTEN =
  ' And now the Congress will, I am sure, take up again the measures that were before it in the last session.';

/** Notes in `calls` what is asked. */
export function fakeTryOut(view: RunView, calls: string[]): TryOut {
  const table = view.plan?.data.kind === 'private' && view.plan.data.schema.kind === 'table';
  const answered: Answered = table ? { answer: SPECIES } : { answer: SEVEN, picture: PICTURE };
  const note = (what: string): Promise<Answered> => {
    calls.push(what);
    return Promise.resolve(answered);
  };
  return {
    drawing: ({ side, ink }) => note(`draw ${side} ${ink.some((value) => value > 0)}`),
    image: (file) => note(`image of ${file.size} bytes`),
    row(cells) {
      calls.push(`row ${[...cells].map(([name, value]) => `${name}=${value}`).join(' ')}`);
      return cells.has('island')
        ? Promise.resolve(answered)
        : Promise.reject(new HushError('data/row', '"island" is empty, expected one of Biscoe, Dream, Torgersen.'));
    },
    async heldOut(index) {
      return { ...(await note(`held out ${index}`)), of: 2000, truth: table ? 'Gentoo' : '7' };
    },
    continueText({ prompt, temperature, tokens, onText }) {
      calls.push(`write ${tokens} at ${temperature} after ${prompt}`);
      onText(WRITTEN);
      return Promise.resolve();
    },
    close: () => void calls.push('close the trial of the model'),
  };
}
