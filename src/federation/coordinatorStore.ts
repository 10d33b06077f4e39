/** What a coordinator keeps so that it can be closed and opened again: everything is stored before it is sent. */
import { bytesToFloat32, float32AsBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { FederationId, Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import type { HashedModel } from '../core/localWork.ts';
import type { Store } from '../core/ports.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { RoundMark, RoundMetrics } from './coordinatorState.ts';
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

/** Of the coordinator's state, what outlives its tab beside ledger and models. */
export interface KeptState {
  readonly shards: Readonly<Record<ParticipantId, number>>;
  readonly excluded: readonly ParticipantId[];
}

export interface StoredFederation {
  readonly deed: FederationDeed;
  readonly records: readonly LedgerRecord[];
  readonly metrics: readonly RoundMetrics[];
  /** Highest round that was ever called. */
  readonly lastRound: RoundNumber;
  /** Rounds that were begun and are not in the ledger. */
  readonly marks: readonly RoundMark[];
  readonly kept: KeptState;
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

  /** Whether this browser coordinates `federation`. */
  static async has(store: Store, federation: string): Promise<boolean> {
    return (await store.get<FederationDeed>(`run/${federation}/deed`)) !== undefined;
  }

  /** `start`: the model that the plan begins with, if it names one. */
  async found(deed: FederationDeed, start?: HashedModel): Promise<void> {
    if (start !== undefined) await this.keepModel(start.hash, start.parameters);
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
      lastRound: (await this.#store.get<number>(`${this.#prefix}/round`)) ?? 0,
      marks: await this.#all<RoundMark>('mark'),
      kept: (await this.#store.get<KeptState>(`${this.#prefix}/kept`)) ?? { shards: {}, excluded: [] },
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

  async mark(mark: RoundMark, kept: KeptState): Promise<void> {
    await this.#store.set(`${this.#prefix}/kept`, kept);
    if (mark.stage === 'called') await this.#store.set(`${this.#prefix}/round`, mark.round);
    else await this.#store.set(this.#markKey(mark.round), mark);
  }

  #markKey(round: RoundNumber): string {
    return `${this.#prefix}/mark/${String(round).padStart(16, '0')}`;
  }

  /** The record first: metrics of a round that is not in the ledger would be worse than none. */
  async addRecord(index: number, record: LedgerRecord, metrics: RoundMetrics | undefined): Promise<void> {
    const number = String(index).padStart(8, '0');
    await this.#store.set(`${this.#prefix}/record/${number}`, record);
    if (metrics !== undefined) await this.#store.set(`${this.#prefix}/metrics/${number}`, metrics);
    await this.#store.delete(this.#markKey(record.body.round));
  }

  async keepModel(hash: Hash, parameters: ModelParameters): Promise<void> {
    // The store makes a copy of its own.
    await this.#store.set(`${this.#prefix}/model/${hash}`, float32AsBytes(parameters));
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
