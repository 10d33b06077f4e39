/**
 * Where threads wait for each other between two kernels: a central barrier that turns round (Mellor-Crummey and Scott 1991,
 * algorithm 7). It spins first, since a kernel takes microseconds; then helpers sleep, while the thread that trains must not,
 * for it may be a page's.
 */
import { atomic, call, code, drop, i32, i64, leave, when } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import { FunctionBuilder } from '../../core/wasmModule.ts';
import type { Local } from '../../core/wasmModule.ts';
import { int, whileTrue } from './expressions.ts';
import type { Machine } from './machine.ts';

/** Some tenths of a millisecond: to be woken up takes as long. */
const HELPER_SPINS = 300_000;
/** Then the host has a look at the clock. */
const TRAINER_SPINS = 1_000_000;

/** Exported names. Helpers call `wait`; the trainer calls `arrive`, and `look` again for as long as it gives zero. */
export const BARRIER = { wait: 'barrierWait', arrive: 'barrierArrive', look: 'barrierLook' } as const;

export function writeBarrier(machine: Machine, threads: number): void {
  // Each in a cache line of its own.
  const [arrived, round, asleep, mine] = [0, 1, 2, 3].map(() => machine.allocate(64)) as [
    number,
    number,
    number,
    number,
  ];
  const load = (at: number): Code => code(int.of(at), atomic.load(0));
  const count = (by: number): Code => code(int.of(asleep), int.of(by), atomic.add(0), drop);
  const isLast = code(code(int.of(arrived), int.of(1), atomic.add(0)), int.of(threads - 1), i32.equal);
  const turnRound = (current: Local): Code =>
    code(
      code(int.of(arrived), int.of(0), atomic.store(0)),
      code(int.of(round), int.plus(current.get, 1), atomic.store(0)),
      when(load(asleep), code(int.of(round), int.of(-1), atomic.notify(0), drop)),
    );
  const hasTurned = (current: Code): Code => code(load(round), current, i32.equal, i32.isZero);
  // Not turned yet is 0, which is below what is left until that is 0 too; turned is 1, and one spin more does no harm.
  const spin = (left: Local, current: Code, spins: number): Code =>
    code(left.set(int.of(spins)), whileTrue(int.below(hasTurned(current), left.get), left.set(int.plus(left.get, -1))));

  const wait = new FunctionBuilder();
  const [current, left] = [wait.local('i32'), wait.local('i32')];
  const sleep = code(int.of(round), current.get, i64.constant(-1), atomic.wait(0), drop);
  wait.append(
    current.set(load(round)),
    when(isLast, turnRound(current), leave),
    spin(left, current.get, HELPER_SPINS),
    count(1),
    whileTrue(code(load(round), current.get, i32.equal), sleep),
    count(-1),
  );
  machine.module.define(wait, BARRIER.wait);

  const look = new FunctionBuilder([], ['i32']);
  const lookLeft = look.local('i32');
  const held = int.load(int.of(mine));
  look.append(spin(lookLeft, held, TRAINER_SPINS), hasTurned(held));
  const lookIndex = machine.module.define(look, BARRIER.look);

  const arrive = new FunctionBuilder([], ['i32']);
  const before = arrive.local('i32');
  arrive.append(
    before.set(load(round)),
    int.store(int.of(mine), before.get),
    when(isLast, turnRound(before)),
    call(lookIndex),
  );
  machine.module.define(arrive, BARRIER.arrive);
}
