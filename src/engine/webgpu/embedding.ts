/** Tokens to vectors, with a vector for each place added; and what the vectors learn. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import type { Unit } from './units.ts';

export function forward(build: Build, unit: Unit): void {
  const [table, positions] = unit.layer.blocks;
  const { channels, size } = unit;
  const reader = build.reader(unit.input);
  build.add(
    build.elementwise(`embedding ${unit.index}`, build.rows * size, build.tailTensors(unit), () => ({
      declarations: build.tail(1, unit),
      body: `let c = i % ${channels}u;
let at = i / ${channels}u % ${size / channels}u;
let word = token(${reader.base(`i / ${size}u`)} + at);
finish(i, params[${table?.offset ?? 0}u + word * ${channels}u + c]${positions ? ` + params[${positions.offset}u + at * ${channels}u + c]` : ''});`,
    })),
  );
}

/**
 * One invocation for each learned value, which goes through all places of the batch: no two ever add to the same sum, so
 * the order is always the same. That takes vocabulary times places reads; for a large vocabulary it is not the best way.
 */
export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const [table, positions] = unit.layer.blocks;
  const { channels, size } = unit;
  const length = size / channels;
  const reader = build.reader(unit.input);
  const ofTable = table?.length ?? 0;
  build.add(
    build.elementwise(`embedding ${unit.index} weights`, ofTable + (positions?.length ?? 0), [gradient], () => ({
      declarations: build.learn(1),
      body: `let c = i % ${channels}u;
var sum = 0.0;
if (i < ${ofTable}u) {
  for (var r = 0u; r < ${build.rows}u; r++) {
    let base = ${reader.base('r')};
    for (var at = 0u; at < ${length}u; at++) {
      if (token(base + at) == i / ${channels}u) { sum += arena[${gradient.offset}u + (r * ${length}u + at) * ${channels}u + c]; }
    }
  }
} else {
  for (var r = 0u; r < ${build.rows}u; r++) { sum += arena[${gradient.offset}u + r * ${size}u + i - ${ofTable}u]; }
}
learn(${table?.offset ?? 0}u + i, sum);`,
    })),
  );
}
