/** Tokens to vectors, with a learned vector for each place. */
import { code, fillMemory } from '../../core/wasmAssembler.ts';
import type { Local } from '../../core/wasmModule.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { advance, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Built, Machine, Weights } from './machine.ts';

type Embedding = Extract<Layer, { readonly kind: 'embedding' }>;

/** `tokens`: address of [rows, length] integers. */
export function embeddingLayer(
  machine: Machine,
  layer: Embedding,
  placed: PlacedLayer,
  tokens: number,
  { weight, gradient }: Weights,
): Built {
  const { width } = layer;
  const length = placed.input[0] ?? 1;
  const [table, positions] = placed.blocks;
  const output = machine.tensor(length * width, true);
  const tableAt = 4 * (table?.offset ?? 0);
  const positionsAt = 4 * (positions?.offset ?? 0);
  machine.kernel(['forward', 'evaluation'], (f) => {
    const { from: first, to: end } = machine.share(f, machine.rows);
    const [token, to, from, place] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
    const [examples, places] = [f.local('i32'), f.local('i32')];
    f.append(
      token.set(int.plus(int.times(first.get, 4 * length), tokens)),
      to.set(int.plus(int.times(first.get, 4 * output.size), output.value)),
      times(
        examples,
        int.subtract(end.get, first.get),
        place.set(int.of(weight + positionsAt)),
        times(
          places,
          int.of(length),
          from.set(int.plus(int.times(int.load(token.get), 4 * width), weight + tableAt)),
          overFloats(f, width, positions ? [from, place, to] : [from, to], (lanes) => {
            const value = lanes.load(from.get);
            return lanes.store(to.get, positions ? vec.add(value, lanes.load(place.get)) : value);
          }),
          advance(token, 4),
        ),
      ),
    );
  });
  const backward = (): void => {
    machine.kernel(['backward'], (f) => {
      const clear = (at: number, floats: number) =>
        code(int.of(gradient + at), int.of(0), int.of(4 * floats), fillMemory);
      const blocks = [clear(tableAt, table?.length ?? 0), positions ? clear(positionsAt, positions.length) : []];
      machine.once(f, code(...blocks));
    });
    // Every thread has some columns, so that none adds where another does.
    machine.kernel(['backward'], (f) => {
      const { from, to: end } = machine.share(f, int.of(width), 4);
      const [token, g, to, place] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
      const [at, examples, places, count] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
      const back = f.local('v128');
      f.append(
        count.set(int.subtract(end.get, from.get)),
        token.set(int.of(tokens)),
        g.set(int.plus(int.times(from.get, 4), output.gradient)),
        times(
          examples,
          machine.rows,
          place.set(int.plus(int.times(from.get, 4), gradient + positionsAt)),
          times(
            places,
            int.of(length),
            to.set(
              int.plus(int.add(int.times(int.load(token.get), 4 * width), int.times(from.get, 4)), gradient + tableAt),
            ),
            at.set(g.get),
            overFloats(f, count.get, positions ? [at, to, place] : [at, to], (lanes) =>
              code(
                back.set(lanes.load(at.get)),
                lanes.store(to.get, vec.add(lanes.load(to.get), back.get)),
                positions ? lanes.store(place.get, vec.add(lanes.load(place.get), back.get)) : [],
              ),
            ),
            // The loop moved it by this thread's columns only.
            positions ? place.set(int.plus(int.subtract(place.get, int.times(count.get, 4)), 4 * width)) : [],
            code(advance(token, 4), advance(g, 4 * width)),
          ),
        ),
      );
    });
  };
  return { output, backward };
}
