/** What a helper thread does: its share of every kernel, in step with the thread that trains. */
import { BARRIER } from './barrier.ts';

export interface HelperOrder {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Its number, from 1, of so many threads. */
  readonly part: number;
  readonly parts: number;
  /** Names of all kernels; lists give their places in it. */
  readonly kernels: readonly string[];
  /** Address of the list that is to be run: its length, then the kernels. */
  readonly list: number;
  /** Address of a word that is not zero when the rest of a list is not wanted. */
  readonly abort: number;
}

/** Never returns: it ends with its worker. `ready` is called before it waits for the first time. */
export function follow({ module, memory, part, parts, kernels, list, abort }: HelperOrder, ready: () => void): never {
  const { exports } = new WebAssembly.Instance(module, { host: { memory, log: Math.log } });
  (exports['part'] as WebAssembly.Global).value = part;
  (exports['parts'] as WebAssembly.Global).value = parts;
  const wait = exports[BARRIER.wait] as () => void;
  const run = kernels.map((name) => exports[name] as () => void);
  const words = new Int32Array(memory.buffer);
  const first = list / 4 + 1;
  ready();
  for (;;) {
    wait();
    const end = first + (words[list / 4] ?? 0);
    for (let at = first; at < end; at++) {
      run[words[at] ?? 0]?.();
      wait();
      if (words[abort / 4] !== 0) break;
    }
  }
}
