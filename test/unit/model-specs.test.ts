/** The architectures that a plan may name: their networks, parameters and limits. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { placeNetwork, sizeOf } from '../../src/core/layerShapes.ts';
import { ARCHITECTURES, inputsOf, networkOf, outputsOf, parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { planFacts } from '../../src/ui/planFacts.ts';
import { planDocument } from '../support/planDocument.ts';

const IMAGE = { height: 28, width: 28, channels: 1, outputs: 10 } as const;

/** Beside each the number of parameters, counted by hand. */
const SPECS: readonly (readonly [ModelSpec, number])[] = [
  [
    { architecture: 'mlp', inputs: 784, hidden: [128], outputs: 10, activation: 'relu' },
    784 * 128 + 128 + 128 * 10 + 10,
  ],
  [{ architecture: 'linear', inputs: 20, outputs: 3, loss: 'softmax-cross-entropy' }, 20 * 3 + 3],
  [{ architecture: 'lenet', ...IMAGE }, 25 * 8 + 8 + (25 * 8 * 16 + 16) + (7 * 7 * 16 * 64 + 64) + (64 * 10 + 10)],
  // McMahan et al. 2017, section 3.
  [{ architecture: 'cnn', ...IMAGE }, 1_663_370],
  // ResNet-20 (He et al. 2016, table 6) has 0.27 million: kernels, four values a normalised channel, shortcuts, classes.
  [
    { architecture: 'resnet', height: 32, width: 32, channels: 3, outputs: 10, filters: 16, blocksPerStage: 3 },
    9 * (3 * 16 + 6 * 16 ** 2 + 16 * 32 + 5 * 32 ** 2 + 32 * 64 + 5 * 64 ** 2) +
      4 * (7 * 16 + 6 * 32 + 6 * 64) +
      (16 * 32 + 32 * 64 + 4 * (32 + 64)) +
      (64 * 10 + 10),
  ],
  [
    { architecture: 'gpt', width: 64, layers: 2, heads: 2, length: 32, vocabulary: 65 },
    65 * 64 + 32 * 64 + 2 * (12 * 64 * 64 + 9 * 64 + 4 * 64) + 2 * 64 + 65 * 64,
  ],
  [
    { architecture: 'lstm', vocabulary: 65, width: 8, units: 16, length: 32 },
    65 * 8 + (8 + 16 + 1) * 64 + 16 * 65 + 65,
  ],
  [
    {
      architecture: 'layers',
      topology: {
        class_name: 'Sequential',
        config: {
          layers: [
            { class_name: 'Flatten', config: { name: 'f', batch_input_shape: [null, 4, 5] } },
            { class_name: 'Dense', config: { name: 'd', units: 3, activation: 'softmax' } },
          ],
        },
      },
      loss: 'softmax-cross-entropy',
    },
    20 * 3 + 3,
  ],
];

function planOf(model: unknown, classes: number): Uint8Array {
  const names = Array.from({ length: classes }, (_, i) => `class ${i}`);
  return utf8(JSON.stringify({ ...planDocument(), task: { kind: 'classification', classes: names }, model }));
}

it('there is a spec here for each architecture', () => {
  expect(SPECS.map(([{ architecture }]) => architecture)).toEqual(ARCHITECTURES);
});

describe.each(SPECS)('$architecture', (spec, parameters) => {
  it('has the parameters that its sizes give', () => {
    expect(parameterLayout(spec).length).toBe(parameters);
  });

  it('says how much it takes and what it predicts', () => {
    const { input, output } = placeNetwork(networkOf(spec));
    expect(inputsOf(spec).size).toBe(sizeOf(input));
    expect(outputsOf(spec).size).toBe(output.at(-1));
  });

  it('is taken in a plan, whose facts name it', () => {
    const { plan } = parsePlan(planOf(spec, outputsOf(spec).size));
    expect(plan.model).toEqual(spec);
    const model = planFacts(plan).find(({ name }) => name === 'Model');
    expect(model?.value).toMatch(new RegExp(`\\(${spec.architecture}\\)$`));
  });

  it('is refused with other outputs than the task has classes', () => {
    const { field, size } = outputsOf(spec);
    expect(() => parsePlan(planOf(spec, size + 1))).toThrow(
      `Plan: "model.${field}" is ${size}, expected the number of task.classes, ${size + 1}.`,
    );
  });
});

it('an image model reads its sizes as height, width, channels', () => {
  const { input } = placeNetwork(networkOf({ architecture: 'cnn', height: 4, width: 8, channels: 3, outputs: 2 }));
  expect(input).toEqual([4, 8, 3]);
});

it.each([
  [{ architecture: 'lenet', ...IMAGE, height: 3 }, '"model.height" is 3, expected an integer from 4 to 1024'],
  [{ architecture: 'cnn', ...IMAGE, inputs: 784 }, '"model.inputs" is 784, expected no such field'],
  [
    { architecture: 'gpt', width: 64, layers: 2, heads: 3, length: 32, vocabulary: 10 },
    '"model.heads" is 3, expected a divisor of model.width, 64',
  ],
  [{ architecture: 'lstm', vocabulary: 10, width: 8, units: 16 }, '"model.length" is missing'],
  [
    { architecture: 'linear', inputs: 5, outputs: 10, loss: 'mean-squared-error' },
    '"model.loss" is "mean-squared-error", expected "softmax-cross-entropy" or, of two classes, "binary-cross-entropy" for the task classification',
  ],
])('a plan with the model %j is refused', (model, message) => {
  expect(() => parsePlan(planOf(model, 10))).toThrow(message);
});
