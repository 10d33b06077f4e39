/** The Random port over a seeded generator, for tests that must be repeatable. */
import type { Random } from '../../src/core/ports.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';

export function seededPort(seed: number): Random {
  const generator = SeededRandom.of(seed);
  return { bytes: (length) => generator.bytes(length) };
}
