/** Writing on: the next token again and again, each drawn from what the model gives for those before it. */
import { softmax } from './answer.ts';
import { BytePairs } from './bytePairs.ts';
import type { ExpectedText } from './dataSchema.ts';
import type { Examples } from './dataset.ts';
import type { Random } from './ports.ts';
import type { Continuation } from './tryOut.ts';

/** A longer prompt counts by its end alone, which is all that the model sees. */
const MAX_PROMPT = 100_000;

/** With nothing before it a text begins as after a line. */
const BEFORE_ALL = '\n';

interface Writer {
  readonly expected: ExpectedText;
  readonly vocabulary: number;
  /** Outputs for one example, [length, vocabulary]. */
  readonly predict: (examples: Examples) => Promise<Float32Array>;
  readonly random: Random;
}

/** Ends at the number of tokens, or when the signal says so. @throws what `predict` throws. */
export async function continueText(
  { prompt, temperature, tokens, signal, onText }: Continuation,
  { expected, vocabulary, predict, random }: Writer,
): Promise<void> {
  const pairs = BytePairs.of(expected.tokens.kind === 'bpe' ? expected.tokens.merges : []);
  const { length } = expected;
  const seen = pairs.encode(prompt.slice(-MAX_PROMPT) || BEFORE_ALL).slice(-length);
  const written: number[] = [];
  while (written.length < tokens && !signal.aborted) {
    // What stands behind the last token is looked at by none before it.
    const inputs = new Int32Array(length);
    inputs.set(seen);
    const labels = new Int32Array(length);
    const outputs = await predict({ count: 1, width: length, inputs, inputScale: 1, labels, labelWidth: length });
    if (signal.aborted) return;
    const from = (seen.length - 1) * vocabulary;
    const token = draw(outputs.subarray(from, from + vocabulary), temperature, random);
    written.push(token);
    seen.push(token);
    if (seen.length > length) seen.shift();
    onText(shownText(pairs, written, written.length < tokens));
  }
}

/** The most probable token at a temperature of 0. */
export function draw(logits: Float32Array, temperature: number, random: Random): number {
  if (temperature <= 0) return logits.indexOf(Math.max(...logits));
  const probabilities = softmax(logits, temperature);
  let left = uniform(random);
  for (const [token, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return token;
  }
  // Rounding can leave a rest.
  return probabilities.findLastIndex((probability) => probability > 0);
}

/** From 0 to below 1, in steps of 2^-32. */
function uniform(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32;
}

/** A letter of which more bytes may come is not shown before it is whole: at most three bytes of one are there. */
function shownText(pairs: BytePairs, tokens: readonly number[], more: boolean): string {
  const text = pairs.decode(tokens);
  return more ? text.replace(/\uFFFD{1,3}$/, '') : text;
}
