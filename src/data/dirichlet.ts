/** Draws from a symmetric Dirichlet distribution, by normalised Gamma variates. */
import type { SeededRandom } from '../core/seededRandom.ts';

/** `classes` proportions that sum to 1. Small alpha: almost all in one class; large alpha: even. */
export function drawDirichlet(alpha: number, classes: number, random: SeededRandom): Float64Array {
  const logs = Float64Array.from({ length: classes }, () => logGamma(alpha, random));
  // Relative to the largest: for alpha near 0 every variate underflows, their ratios do not.
  const largest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The logarithm of a Gamma(alpha, 1) variate: Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma Variables". */
function logGamma(alpha: number, random: SeededRandom): number {
  // Their section 6: for alpha < 1, Gamma(alpha + 1) · U^(1 / alpha).
  const boost = alpha < 1 ? Math.log(1 - random.uniform()) / alpha : 0;
  const d = (alpha < 1 ? alpha + 1 : alpha) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - random.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v) + boost;
  }
}
