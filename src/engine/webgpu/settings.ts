/** The control words as a run begins. */
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import { dropoutSeed } from '../../core/dropout.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { CONTROL } from './wgsl.ts';

/** `words`: of the whole control buffer; the figures start at 0. `step`: the batch that is the first. */
export function evaluationWords(words: number, { count, inputScale }: Examples, step = 0): Uint32Array<ArrayBuffer> {
  const control = new Uint32Array(words);
  const floats = new Float32Array(control.buffer);
  control[CONTROL.step] = step;
  control[CONTROL.orderFrom] = step;
  control[CONTROL.count] = count;
  floats[CONTROL.inputScale] = inputScale;
  return control;
}

/** `countFrom`: the step from which figures are summed. */
export function trainingWords(
  words: number,
  examples: Examples,
  training: LocalTraining,
  seed: Bytes,
  countFrom: number,
): Uint32Array<ArrayBuffer> {
  const control = evaluationWords(words, examples);
  const floats = new Float32Array(control.buffer);
  const { optimizer, learningRate, fedProxMu, maxGradientNorm } = training;
  control[CONTROL.countFrom] = countFrom;
  control[CONTROL.dropoutSeed] = dropoutSeed(seed);
  floats[CONTROL.rate] = learningRate;
  floats[CONTROL.momentum] = optimizer.kind === 'momentum' ? optimizer.momentum : 0;
  floats[CONTROL.decay] = optimizer.kind === 'adamw' ? optimizer.weightDecay : 0;
  floats[CONTROL.proximal] = fedProxMu;
  floats[CONTROL.maxNorm] = maxGradientNorm ?? 0;
  return control;
}

/** The sums over all places of a batch, from the end of the control words. */
export function readFigures(words: Uint32Array<ArrayBuffer>): { readonly lossSum: number; readonly correct: number } {
  const places = (words.length - CONTROL.figures) / 2;
  const losses = new Float32Array(words.buffer, words.byteOffset + 4 * CONTROL.figures, places);
  const hits = words.subarray(CONTROL.figures + places);
  return {
    lossSum: losses.reduce((sum, loss) => sum + loss, 0),
    correct: hits.reduce((sum, hit) => sum + hit, 0),
  };
}
