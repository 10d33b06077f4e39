/** The Summer port without a worker, over the worker's own service. */
import type { Bytes } from '../../src/core/bytes.ts';
import type { Summer, SumOrder, SummerTask } from '../../src/core/localWork.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
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

  async add(round: number, masked: Bytes) {
    return this.#service.add(round, masked);
  }

  async unmask(round: number, survivors: number, seeds: readonly MaskSeed[]) {
    const report = this.#service.unmask(round, survivors, seeds);
    this.sums.set(round, new Uint8Array(report.packedSum));
    return report;
  }

  onFailure() {
    return () => undefined;
  }

  close(): void {}
}
