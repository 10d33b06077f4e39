/** What networks are compiled for: the instructions at hand, and how many threads. */
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedLayer, PlacedNetwork } from '../../core/layerShapes.ts';
import { compileNetwork } from './network.ts';
import type { Arithmetic } from './product.ts';
import { Program } from './program.ts';

export interface Target {
  readonly arithmetic: Arithmetic;
  /** At most. */
  readonly threads: number;
  /** Multiplications of a batch's forward pass from which more threads than one are worth their waiting for each other. */
  readonly spreadsFrom: number;
}

/** About a tenth of a millisecond's work. */
export const SPREADS_FROM = 1_000_000;

/** @throws HushError `engine/unsupported`, `engine/out-of-memory`. */
export async function startProgram(placed: PlacedNetwork, capacity: number, target: Target): Promise<Program> {
  const { arithmetic, threads, spreadsFrom } = target;
  const isSpread = threads > 1 && capacity * multiplications(placed) >= spreadsFrom;
  try {
    return await Program.start(compileNetwork(placed, capacity, arithmetic, isSpread ? threads : 1));
  } catch (error) {
    const isAlone = !isSpread || !(error instanceof HushError) || error.code !== 'engine/unavailable';
    if (isAlone) throw error;
    return await Program.start(compileNetwork(placed, capacity, arithmetic, 1));
  }
}

/** Of one example's forward pass, about. */
function multiplications({ layers }: PlacedNetwork): number {
  return layers.reduce(
    (sum, placed) =>
      sum +
      placed.blocks.reduce((sum, { shape, length }) => {
        return sum + (shape.length > 1 ? length * uses(placed) : 0);
      }, 0),
    0,
  );
}

/** How often each weight is used. */
function uses({ layer, output }: PlacedLayer): number {
  return layer.kind === 'embedding' ? 0 : sizeOf(output) / (output.at(-1) ?? 1);
}
