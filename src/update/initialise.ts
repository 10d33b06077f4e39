/** The model before round 1, the same to the last bit for everyone who has the plan. */
import { uint32Bytes, utf8 } from '../core/bytes.ts';
import { parameterLayout } from '../core/modelSpec.ts';
import type { ModelSpec } from '../core/modelSpec.ts';
import type { Plan } from '../core/plan.ts';
import { planLayout, withNetwork } from '../core/planLayout.ts';
import type { LaidOutPlan } from '../core/planLayout.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { sha256 } from '../crypto/hash.ts';
import { keystreamWords } from '../crypto/prg.ts';

const PURPOSE = utf8('hushgrad/1 initial model');

/**
 * Parameter i of a uniform block is (2u − 1) · limit in float64, rounded once to float32, where u = w_i / 2^32 and w is
 * ChaCha20's stream under SHA-256("hushgrad/1 initial model" ‖ seed), `seed` being a uint32, big-endian. Other blocks are
 * all zero or all one.
 */
export function initialise(spec: ModelSpec, seed: number): ModelParameters {
  const key = sha256(PURPOSE, uint32Bytes(seed));
  const { blocks, length } = parameterLayout(spec);
  const parameters = new Float32Array(length);
  for (const block of blocks) {
    const { initialiser } = block;
    if (initialiser.kind !== 'uniform') {
      parameters.fill(initialiser.kind === 'ones' ? 1 : 0, block.offset, block.offset + block.length);
      continue;
    }
    const words = keystreamWords(key, block.length, block.offset);
    words.forEach((word, i) => {
      parameters[block.offset + i] = Math.fround((2 * (word / 2 ** 32) - 1) * initialiser.limit);
    });
  }
  return parameters as ModelParameters;
}

/** The first model of a federation: a normalisation that changes nothing, and the network that the plan's seed gives. */
export function initialModel(plan: LaidOutPlan & Pick<Plan, 'seed'>): ModelParameters {
  const layout = planLayout(plan);
  const parameters = new Float32Array(layout.length);
  for (const { initialiser, offset, length } of layout.blocks) {
    if (offset < layout.front && initialiser.kind === 'ones') parameters.fill(1, offset, offset + length);
  }
  return withNetwork(layout, parameters as ModelParameters, initialise(plan.model, plan.seed));
}
