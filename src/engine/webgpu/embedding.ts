/** Tokens to vectors, with a vector for each place added; and what the vectors learn. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import type { Unit } from './units.ts';
import { load, typeOf } from './values.ts';
import type { Width } from './values.ts';

export function forward(build: Build, unit: Unit): void {
  const [table, positions] = unit.layer.blocks;
  const { channels, size } = unit;
  const reader = build.reader(unit.input);
  const width: Width = channels % 4 === 0 ? 4 : 1;
  const count = (build.rows * size) / width;
  build.add(
    build.elementwise(`embedding ${unit.index}`, count, build.tailTensors(unit), () => ({
      declarations: build.tail(width, unit),
      body: `let v = i * ${width}u;
let c = v % ${channels}u;
let at = v / ${channels}u % ${size / channels}u;
let word = token(${reader.base(`v / ${size}u`)} + at);
finish(v, ${load(width, 'params', `${table?.offset ?? 0}u + word * ${channels}u + c`)}${positions ? ` + ${load(width, 'params', `${positions.offset}u + at * ${channels}u + c`)}` : ''});`,
    })),
  );
}

/**
 * One invocation for each learned value, or four of them, which goes through all places of the batch: no two ever add to
 * the same sum, so the order is always the same. That takes vocabulary times places reads; for a large vocabulary it is
 * not the best way.
 */
export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const [table, positions] = unit.layer.blocks;
  const { channels, size } = unit;
  const length = size / channels;
  const reader = build.reader(unit.input);
  const width: Width = channels % 4 === 0 ? 4 : 1;
  const ofTable = table?.length ?? 0;
  const count = (ofTable + (positions?.length ?? 0)) / width;
  build.add(
    build.elementwise(`embedding ${unit.index} weights`, count, [gradient], () => ({
      declarations: build.learn(width),
      body: `let v = i * ${width}u;
let c = v % ${channels}u;
let word = v / ${channels}u;
var sum = ${typeOf(width)}();
if (v < ${ofTable}u) {
  for (var r = 0u; r < ${build.rows}u; r++) {
    let base = ${reader.base('r')};
    for (var at = 0u; at < ${length}u; at++) {
      if (token(base + at) == word) { sum += ${load(width, 'arena', `${gradient.offset}u + (r * ${length}u + at) * ${channels}u + c`)}; }
    }
  }
} else {
  for (var r = 0u; r < ${build.rows}u; r++) { sum += ${load(width, 'arena', `${gradient.offset}u + r * ${size}u + v - ${ofTable}u`)}; }
}
learn(${table?.offset ?? 0}u + v, sum);`,
    })),
  );
}
