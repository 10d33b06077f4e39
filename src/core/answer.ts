/** From what a model puts out for one example to what people read. */
import { lossOf } from './modelSpec.ts';
import { classesOfTask } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Answer } from './tryOut.ts';

/** `outputs`: of one example, before any softmax. */
export function answerOf(plan: Plan, outputs: Float32Array): Answer {
  if (plan.task.kind === 'regression') {
    return { kind: 'value', value: (outputs[0] ?? Number.NaN) * scaleOf(plan).deviation + scaleOf(plan).mean };
  }
  const probabilities = lossOf(plan.model) === 'binary-cross-entropy' ? [...outputs].map(sigmoid) : softmax(outputs);
  const names = classesOfTask(plan);
  const classes = probabilities.map((probability, i) => ({ name: names[i] ?? String(i), probability }));
  return { kind: 'classes', classes: classes.toSorted((a, b) => b.probability - a.probability) };
}

/** What a label stands for. */
export function truthOf(plan: Plan, label: number): string {
  if (plan.task.kind === 'regression') return String(label * scaleOf(plan).deviation + scaleOf(plan).mean);
  return classesOfTask(plan)[label] ?? String(label);
}

/** exp(x / temperature), scaled to a sum of 1. */
export function softmax(logits: Float32Array, temperature = 1): number[] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const weights = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** How the plan scaled what is learnt. */
function scaleOf({ data }: Plan): { readonly mean: number; readonly deviation: number } {
  const schema = 'schema' in data ? data.schema : undefined;
  const target = schema?.kind === 'table' ? schema.target : undefined;
  const scale = target?.kind === 'value' ? target.normalise : undefined;
  return scale ?? { mean: 0, deviation: 1 };
}
