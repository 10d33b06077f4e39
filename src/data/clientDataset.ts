/**
 * A public data set of natural clients. The plan pins the index, the index pins each client's files, and who works on one
 * client's data fetches no other's. Files are read as people's own are.
 */
import type { ExpectedData } from '../core/dataSchema.ts';
import type { TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import { parseClientIndex } from './clientIndex.ts';
import type { ClientEntry, ClientFile } from './clientIndex.ts';
import { checkDigest } from './digest.ts';
import { fetchUnpacked } from './gunzip.ts';
import type { FetchFile } from './gunzip.ts';
import type { ImageDecoder } from './imageDecoder.ts';
import type { Pool } from './pool.ts';
import { PrivateDataReader } from './privateData.ts';
import type { ClientDataset } from './registry.ts';

export const INDEX_FILE = 'index.json.gz';

/** Plans on public data expect none. */
const NO_IMAGES: ImageDecoder = {
  decode: () => Promise.reject(new HushError('data/image', 'Public data has no images in files of their own.')),
};

export class ClientFiles {
  readonly #dataset: ClientDataset;
  readonly #clients: readonly ClientEntry[];
  readonly #expected: ExpectedData;
  readonly #fetchFile: FetchFile;
  readonly #leavesMissing: boolean;

  private constructor(
    dataset: ClientDataset,
    clients: readonly ClientEntry[],
    expected: ExpectedData,
    fetchFile: FetchFile,
    leavesMissing: boolean,
  ) {
    this.#dataset = dataset;
    this.#clients = clients;
    this.#expected = expected;
    this.#fetchFile = fetchFile;
    this.#leavesMissing = leavesMissing;
  }

  /** `leavesMissing`: see `TableReader`. @throws HushError `data/…`: unreachable, damaged, too-large, digest, index. */
  static async open(
    dataset: ClientDataset,
    sha256: string,
    expected: ExpectedData,
    fetchFile: FetchFile,
    leavesMissing = false,
  ): Promise<ClientFiles> {
    const path = `/data/${dataset.folder}/${INDEX_FILE}`;
    const content = await fetchUnpacked(path, dataset.maxFileBytes, fetchFile);
    await checkDigest(content, sha256, `The data set "${dataset.name}" of this server`);
    const { clients } = parseClientIndex(content, path);
    return new ClientFiles(dataset, clients, expected, fetchFile, leavesMissing);
  }

  /** One client's. @throws HushError `data/…`, as `open` does, and shards, mismatch. */
  async client(index: number, validationFraction: number, seed: number): Promise<TrainingData> {
    const client = this.#clients[index];
    if (!client) {
      const most = this.#clients.length - 1;
      throw new HushError('data/shards', `Client ${index} was asked for, expected 0 to ${most}.`);
    }
    const [own, held] = await Promise.all([this.#read([client.training]), this.#read([client.test])]);
    return { ...own.split(validationFraction, seed), test: held.split(0, seed).training };
  }

  /** Everybody's, in the order of the index. @throws HushError `data/…`, as `open` does, and mismatch. */
  async all(): Promise<Pool> {
    const [training, test] = await Promise.all([
      this.#read(this.#clients.map((client) => client.training)),
      this.#read(this.#clients.map((client) => client.test)),
    ]);
    return { training: training.split(0, 0).training, test: test.split(0, 0).training };
  }

  /** What a plan refuses of a file that is pinned would be lost in silence: the plan is wrong. */
  async #read(files: readonly ClientFile[]): Promise<PrivateDataReader> {
    const reader = new PrivateDataReader(this.#expected, NO_IMAGES, this.#leavesMissing);
    const sources = files.map(async ({ file, sha256 }) => {
      const path = `${this.#dataset.folder}/${file}`;
      const content = await fetchUnpacked(`/data/${path}`, this.#dataset.maxFileBytes, this.#fetchFile);
      await checkDigest(content, sha256, `"${path}" of this server`);
      return { path: path.replace(/\.gz$/, ''), blob: new Blob([content]) };
    });
    await reader.add(await Promise.all(sources));
    const { refused, kept, warnings } = reader.report();
    const [first] = refused.first;
    if (!first && kept > 0) return reader;
    const why = first
      ? `${first.file}, row ${first.row ?? 1}, column ${JSON.stringify(first.column ?? '')}: ${first.value}, expected ${first.expected}`
      : warnings.join(' ');
    throw new HushError('data/mismatch', `Plan: "data.schema" does not fit the data "${this.#dataset.name}": ${why}.`, {
      advice: 'Correct "data.schema" in the plan.',
    });
  }
}
