/** Models by hash: participants that computed the same parameters hold them once in this process. */
import type { Hash } from '../../src/core/ids.ts';
import type { HashedModel } from '../../src/core/localWork.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';

/** Models of earlier rounds that are kept, for those who are behind. */
const KEPT = 8;

export class ModelPool {
  readonly #byHash = new Map<Hash, ModelParameters>();
  readonly #hashes = new WeakMap<ModelParameters, Hash>();
  #initial: HashedModel | undefined;

  initial(plan: Plan): HashedModel {
    if (this.#initial !== undefined) return this.#initial;
    const parameters = initialModel(plan);
    const hash = this.hashOf(parameters);
    this.#initial = { parameters: this.shared(parameters, hash), hash };
    return this.#initial;
  }

  /** Hashed once for each array. */
  hashOf(parameters: ModelParameters): Hash {
    const hash = this.#hashes.get(parameters) ?? modelHashOf(parameters);
    this.#hashes.set(parameters, hash);
    return hash;
  }

  /** The array that the others have, in place of one with the same content. */
  shared(parameters: ModelParameters, hash: Hash): ModelParameters {
    const known = this.#byHash.get(hash);
    if (known !== undefined) return known;
    this.#byHash.set(hash, parameters);
    this.#hashes.set(parameters, hash);
    for (const oldest of this.#byHash.keys()) {
      if (this.#byHash.size <= KEPT) break;
      this.#byHash.delete(oldest);
    }
    return parameters;
  }
}
