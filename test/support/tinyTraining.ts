/** Data that a tiny plan learns within a moment: three clouds of points, some for each participant. */
import type { Examples, TrainingData } from '../../src/core/dataset.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';

const WIDTH = 5;
const CLASSES = 3;

export function tinyShards(count: number): TrainingData[] {
  return Array.from({ length: count }, (_, shard) => ({
    training: clouds(60, 3 * shard),
    validation: clouds(9, 3 * shard + 1),
    test: clouds(30, 3 * shard + 2),
  }));
}

function clouds(count: number, stream: number): Examples {
  const random = SeededRandom.of(11, stream);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % CLASSES);
  const inputs = Float32Array.from({ length: count * WIDTH }, (_, i) => {
    const [row, column] = [Math.floor(i / WIDTH), i % WIDTH];
    return 0.5 * random.normal() + (column === labels[row] ? 2 : 0);
  });
  return { count, width: WIDTH, inputs, inputScale: 1, labels };
}
