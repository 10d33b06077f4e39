/** A person's own files for one run: which were added, what reading them found, and whether this browser keeps them. */
import type { AddedFiles, OwnFiles, OwnFilesView } from '../core/application.ts';
import { SerialQueue } from '../core/async.ts';
import { asHushError, HushError } from '../core/errors.ts';
import type { DataReading } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { Hash } from '../core/ids.ts';
import type { Store, Unsubscribe } from '../core/ports.ts';
import type { SourceFile } from '../core/sourceFile.ts';
import { filesKeptFor, forgetFiles, keepFiles } from './keptFiles.ts';

export interface OwnFilesOptions {
  readonly plan: Plan;
  readonly planHash: Hash;
  readonly reading: DataReading;
  readonly store: Store;
  /** The worker has read what is to be trained on. */
  readonly onAccepted: () => void;
}

interface Turn extends AddedFiles {
  readonly content: readonly SourceFile[];
}

export class RunFiles implements OwnFiles {
  readonly #options: OwnFilesOptions;
  readonly #handlers = new Set<() => void>();
  readonly #queue = new SerialQueue();
  #turns: readonly Turn[] = [];
  #nextId = 1;
  /** The worker is known to hold exactly what the turns say. */
  #inStep = false;
  #view: Omit<OwnFilesView, 'added'>;

  constructor(options: OwnFilesOptions) {
    this.#options = options;
    const { data } = options.plan;
    this.#view = {
      expected: data.kind === 'private' ? data.schema : undefined,
      reading: undefined,
      report: undefined,
      problem: undefined,
      accepted: false,
      kept: false,
    };
  }

  view(): OwnFilesView {
    return { ...this.#view, added: this.#turns.map(({ id, name, files, bytes }) => ({ id, name, files, bytes })) };
  }

  onChange(handler: () => void): Unsubscribe {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Reads what this browser was asked to keep, if there is anything. */
  async restore(): Promise<void> {
    const { store, planHash } = this.#options;
    try {
      const kept = await filesKeptFor(store, planHash);
      if (kept === undefined) return;
      this.#change({ kept: true });
      for (const files of kept.turns) await this.add(files);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async add(files: readonly SourceFile[]): Promise<void> {
    if (files.length === 0 || this.#view.accepted) return;
    const turn = { id: this.#nextId++, ...describe(files), content: files };
    await this.#queue.run(() => this.#read([...this.#turns, turn], files));
  }

  async remove(id: number): Promise<void> {
    if (this.#view.accepted) return;
    await this.#queue.run(() => this.#read(this.#turns.filter((turn) => turn.id !== id)));
  }

  stop(): void {
    this.#options.reading.stopReading();
  }

  async accept(keep: boolean): Promise<void> {
    const { report, reading, accepted } = this.#view;
    if (accepted || reading !== undefined || (report?.kept ?? 0) === 0) return;
    this.#change({ accepted: true, problem: undefined });
    this.#options.onAccepted();
    if (!keep) return;
    const { store, plan, planHash } = this.#options;
    const turns = this.#turns.map(({ content }) => content);
    try {
      await keepFiles(store, planHash, { planName: plan.name, turns });
      this.#change({ kept: true });
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async forget(): Promise<void> {
    const { store, planHash } = this.#options;
    try {
      await forgetFiles(store, planHash);
      this.#change({ kept: false });
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Reads only what is `fresh` where that brings the worker to `turns`; everything otherwise. */
  async #read(turns: readonly Turn[], fresh?: readonly SourceFile[]): Promise<void> {
    const { plan, reading } = this.#options;
    const anew = fresh === undefined || !this.#inStep;
    const files = anew ? turns.flatMap(({ content }) => content) : fresh;
    this.#change({ reading: { progress: undefined }, problem: undefined });
    try {
      this.#inStep = false;
      const report = await reading.readData({ plan, files, anew }, (progress) =>
        this.#change({ reading: { progress } }),
      );
      this.#inStep = true;
      this.#turns = turns;
      this.#change({ reading: undefined, report: turns.length > 0 ? report : undefined });
    } catch (thrown) {
      await this.#takeBack();
      if (asHushError(thrown, 'data/failed').code !== 'data/aborted') this.#fail(thrown);
    }
  }

  /** As it was before: what is left in the worker of a reading that ended early is not trained on. */
  async #takeBack(): Promise<void> {
    const { plan, reading } = this.#options;
    const files = this.#turns.flatMap(({ content }) => content);
    try {
      const report = await reading.readData({ plan, files, anew: true }, (progress) =>
        this.#change({ reading: { progress } }),
      );
      this.#inStep = true;
      this.#change({ reading: undefined, report: files.length > 0 ? report : undefined });
    } catch (thrown) {
      this.#turns = [];
      this.#change({ reading: undefined, report: undefined });
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    const { code, message, advice } = asHushError(thrown, 'data/failed');
    this.#change({ problem: { code, message, advice } });
  }

  #change(change: Partial<OwnFilesView>): void {
    this.#view = { ...this.#view, ...change };
    for (const handler of this.#handlers) handler();
  }
}

/** What a person calls them: the file, the folder that all are in, or their number. */
function describe(files: readonly SourceFile[]): Pick<AddedFiles, 'name' | 'files' | 'bytes'> {
  const [first] = files;
  if (first === undefined) throw new HushError('data/nothing', 'No files were given.');
  const folder = first.path.split('/')[0] ?? '';
  const together = first.path.includes('/') && files.every(({ path }) => path.startsWith(`${folder}/`));
  const name = files.length === 1 ? first.path : together ? folder : `${files.length} files`;
  return { name, files: files.length, bytes: files.reduce((sum, { blob }) => sum + blob.size, 0) };
}
