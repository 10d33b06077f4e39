/** A participant's data as its network takes it, balanced as the plan says, kept until the model normalises by something else. */
import type { Examples, TrainingData } from '../core/dataset.ts';
import { networkExamples } from '../core/normalisation.ts';
import type { Plan } from '../core/plan.ts';
import { planLayout } from '../core/planLayout.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { balanced } from '../data/balance.ts';
import { initialModel } from '../update/initialise.ts';

export class PreparedData {
  readonly #plan: Plan;
  readonly #data: TrainingData;
  #prepared: { readonly normalisation: Float32Array; readonly data: TrainingData } | undefined;

  constructor(plan: Plan, data: TrainingData) {
    this.#plan = plan;
    this.#data = data;
  }

  /** As it was loaded: what statistics are taken of. */
  get raw(): TrainingData {
    return this.#data;
  }

  /** Without a model yet: in the form that it will have, which is all that compiling asks for. */
  of(model: ModelParameters = initialModel(this.#plan)): TrainingData {
    const normalisation = model.slice(0, planLayout(this.#plan).front);
    const known = this.#prepared;
    if (known && normalisation.every((value, i) => value === known.normalisation[i])) return known.data;
    const prepare = (examples: Examples): Examples => networkExamples(this.#plan, model, examples);
    const { training, validation, test } = this.#data;
    const data = {
      training: balanced(prepare(training), this.#plan.training),
      validation: prepare(validation),
      test: prepare(test),
    };
    this.#prepared = { normalisation, data };
    return data;
  }
}
