/** What the last layer gives, written down for the host: batch after batch, from the run's first one on. */
import { sizeOf } from '../../core/layerShapes.ts';
import type { Build } from './build.ts';
import { CONTROL } from './wgsl.ts';

/**
 * They go where an optimizer has its state, which each training clears. What stands past the end of the data in a last batch
 * is for nobody.
 */
export function outputs(build: Build): void {
  const size = sizeOf(build.units.placed.output);
  const count = build.rows * size;
  const reader = build.reader(build.units.output);
  build.add(
    build.elementwise('outputs', count, reader.tensors, () => ({
      body: `state[(stepNumber() - control[${CONTROL.orderFrom}]) * ${count}u + i] = ${reader.one(`${reader.base(`i / ${size}u`)} + i % ${size}u`)};`,
    })),
  );
}
