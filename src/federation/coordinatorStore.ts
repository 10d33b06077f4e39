/** What a coordinator keeps so that it can be closed and opened again: everything is stored before it is sent. */
import { bytesToFloat32, float32ToBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { FederationId, Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import type { Store } from '../core/ports.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { RoundMetrics } from './coordinatorState.ts';
import type { LedgerRecord } from './record.ts';

/** Models kept beside the newest, for participants that fetch while rounds go on. */
const KEPT_MODELS = 3;

/** Fixed at launch. The private key is a non-extractable CryptoKey. */
export interface FederationDeed {
  readonly federation: FederationId;
  readonly planBytes: Bytes;
  readonly planHash: Hash;
  readonly name: string;
  readonly keyPair: CryptoKeyPair;
  readonly secret: Bytes;
  /** At the signalling server; the same for as long as the federation lives, so that links go on working. */
  readonly address: string;
  readonly launchedMs: number;
  readonly rounds: number;
}

/** The highest round that was called, and whether it is spent. */
export interface RoundMark {
  readonly round: RoundNumber;
  readonly spent: boolean;
}

export interface StoredFederation {
  readonly deed: FederationDeed;
  readonly records: readonly LedgerRecord[];
  readonly metrics: readonly RoundMetrics[];
  readonly mark: RoundMark | undefined;
  readonly shards: Readonly<Record<ParticipantId, number>>;
}

export class CoordinatorStore {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #models: Hash[] = [];

  constructor(store: Store, federation: string) {
    this.#store = store;
    this.#prefix = `run/${federation}`;
  }

  /** Deeds of all federations that this browser coordinates, newest first. */
  static async deeds(store: Store): Promise<readonly FederationDeed[]> {
    const keys = await store.keys('run/');
    const deeds = await Promise.all(
      keys.filter((key) => key.endsWith('/deed')).map((key) => store.get<FederationDeed>(key)),
    );
    return deeds.filter((deed) => deed !== undefined).sort((a, b) => b.launchedMs - a.launchedMs);
  }

  async found(deed: FederationDeed): Promise<void> {
    await this.#store.set(`${this.#prefix}/deed`, deed);
  }

  /** @throws HushError `run/unknown`. */
  async load(): Promise<StoredFederation> {
    const deed = await this.#store.get<FederationDeed>(`${this.#prefix}/deed`);
    if (deed === undefined) {
      throw new HushError('run/unknown', 'This browser coordinates no such federation.', {
        advice: 'Open it in the browser in which it was launched.',
      });
    }
    return {
      deed,
      records: await this.#all<LedgerRecord>('record'),
      metrics: await this.#all<RoundMetrics>('metrics'),
      mark: await this.#store.get<RoundMark>(`${this.#prefix}/mark`),
      shards: (await this.#store.get<Record<ParticipantId, number>>(`${this.#prefix}/shards`)) ?? {},
    };
  }

  async #all<T>(what: string): Promise<readonly T[]> {
    const keys = await this.#store.keys(`${this.#prefix}/${what}/`);
    const values = await Promise.all(keys.map((key) => this.#store.get<T>(key)));
    return values.filter((value) => value !== undefined);
  }

  async completedRounds(): Promise<number> {
    const metrics = await this.#all<RoundMetrics>('metrics');
    return metrics.filter((entry) => entry.kind === 'train').length;
  }

  async mark(mark: RoundMark, shards: Readonly<Record<ParticipantId, number>>): Promise<void> {
    await this.#store.set(`${this.#prefix}/shards`, shards);
    await this.#store.set(`${this.#prefix}/mark`, mark);
  }

  async addRecord(index: number, record: LedgerRecord, metrics: RoundMetrics | undefined): Promise<void> {
    const number = String(index).padStart(8, '0');
    if (metrics !== undefined) await this.#store.set(`${this.#prefix}/metrics/${number}`, metrics);
    await this.#store.set(`${this.#prefix}/record/${number}`, record);
  }

  async keepModel(hash: Hash, parameters: ModelParameters): Promise<void> {
    await this.#store.set(`${this.#prefix}/model/${hash}`, float32ToBytes(parameters));
    if (this.#models.at(-1) !== hash) this.#models.push(hash);
    while (this.#models.length > KEPT_MODELS) {
      const oldest = this.#models.shift();
      if (oldest !== undefined && !this.#models.includes(oldest))
        await this.#store.delete(`${this.#prefix}/model/${oldest}`);
    }
  }

  async modelBytes(hash: Hash): Promise<Bytes | undefined> {
    return this.#store.get<Bytes>(`${this.#prefix}/model/${hash}`);
  }

  async model(hash: Hash): Promise<ModelParameters | undefined> {
    const bytes = await this.modelBytes(hash);
    return bytes && (bytesToFloat32(bytes) as ModelParameters);
  }

  async forget(): Promise<void> {
    for (const key of await this.#store.keys(`${this.#prefix}/`)) await this.#store.delete(key);
  }
}
