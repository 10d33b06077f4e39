/** Targets of examples: classes in as few bytes as they need, or values. */
import { GrowingValues } from './growing.ts';
import type { Values } from './growing.ts';

export class Labels {
  readonly #classes: readonly string[] | undefined;
  readonly #labels: GrowingValues<Values>;
  readonly #counts: number[];

  /** Without `classes` the labels are values. */
  constructor(classes: readonly string[] | undefined) {
    this.#classes = classes;
    this.#labels = new GrowingValues<Values>((length) => {
      if (!classes) return new Float32Array(length);
      return classes.length <= 256 ? new Uint8Array(length) : new Int32Array(length);
    });
    this.#counts = classes?.map(() => 0) ?? [];
  }

  push(label: number): void {
    this.#labels.push(label);
    if (this.#classes) this.#counts[label] = (this.#counts[label] ?? 0) + 1;
  }

  counts(): { readonly name: string; readonly count: number }[] {
    return (this.#classes ?? []).map((name, i) => ({ name, count: this.#counts[i] ?? 0 }));
  }

  all(): Values {
    return this.#labels.slice(0, this.#labels.length);
  }

  gather(examples: Uint32Array): Values {
    return this.#labels.gather(examples, 1);
  }
}
