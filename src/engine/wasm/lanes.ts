/** Loops over rows of floats: four at a time, and the rest one at a time by the same instructions. */
import { code, v128 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { advance, int, times, vec } from './expressions.ts';

/** How many of a vector's lanes count. */
export interface Lanes {
  readonly count: 1 | 4;
  /** Lanes that do not count are zero. */
  load(address: Code, offset?: number): Code;
  store(address: Code, value: Code, offset?: number): Code;
  /** `value` with zeros in the lanes that do not count. */
  only(value: Code): Code;
}

export const FOUR: Lanes = { count: 4, load: vec.load, store: vec.store, only: (value) => value };

export const ONE: Lanes = {
  count: 1,
  load: (address, offset = 0) => [...address, ...v128.load32Zero(offset)],
  store: (address, value, offset = 0) => code(address, value, v128.store32Lane(offset, 0)),
  only: (value) => vec.and(value, vec.words(-1, 0, 0, 0)),
};

/** `count` floats from where each of the pointers is; the pointers move along. */
export function overFloats(
  f: FunctionBuilder,
  count: number | Code,
  pointers: readonly Local[],
  body: (lanes: Lanes) => Code,
): Code {
  const left = f.local('i32');
  const run = (lanes: Lanes, turns: number | Code): Code => {
    if (turns === 0) return [];
    const once = code(body(lanes), ...pointers.map((pointer) => advance(pointer, 4 * lanes.count)));
    return turns === 1 ? once : times(left, typeof turns === 'number' ? int.of(turns) : turns, once);
  };
  if (typeof count === 'number') return code(run(FOUR, count >> 2), run(ONE, count & 3));
  const all = f.local('i32');
  return code(all.set(count), run(FOUR, int.divide(all.get, int.of(4))), run(ONE, int.and(all.get, int.of(3))));
}
