/** The Summer port without a worker, over the worker's own service. */
import type { Bytes } from '../../src/core/bytes.ts';
import type { Summer, SumOrder, SummerTask } from '../../src/core/localWork.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import type { MaskedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { SumService } from '../../src/worker/sumService.ts';

export class PlainSummer implements Summer {
  readonly #service = new SumService();
  /** The packed sum of every round. */
  readonly sums = new Map<number, Bytes>();

  async open(task: SummerTask): Promise<void> {
    this.#service.open(task);
  }

  async load(parameters: ModelParameters) {
    return this.#service.load(parameters);
  }

  async initialModel() {
    return this.#service.initialModel();
  }

  async begin(order: SumOrder): Promise<void> {
    this.#service.begin(order);
  }

  async add(round: number, group: number, masked: MaskedUpdate) {
    return this.#service.add(round, group, masked);
  }

  async unmask(round: number, group: number, survivors: number, seeds: readonly MaskSeed[]) {
    this.#service.unmask(round, group, survivors, seeds);
  }

  async finish(round: number, members: number, survivors: number) {
    const report = this.#service.finish(round, members, survivors);
    this.sums.set(round, new Uint8Array(report.packedSum));
    return report;
  }

  onFailure() {
    return () => undefined;
  }

  close(): void {}
}
