/** `window.hushgrad`: what a script on this page, such as `npm run federate`, can do and see without pressing buttons. */
import { fromBase64Url, toBase64Url } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { AskedEngine } from '../core/localWork.ts';
import { readSavedModel } from '../core/savedModel.ts';
import type { RunView } from '../core/runView.ts';
import type { BrowserApplication } from './browserApplication.ts';

/** Bytes as base64url: only text crosses between a script and the page. */
export interface ScriptFile {
  readonly name: string;
  readonly bytes: string;
}

export type LargeFile = 'weights' | 'safetensors';

/** Texts, and how long the files are that are no text. */
export interface ScriptFiles {
  readonly modelJson: string;
  readonly card: string;
  readonly metricsTable: string;
  readonly metrics: string;
  readonly ledger: string;
  readonly sizesBytes: Readonly<Record<LargeFile, number>>;
}

const PIECE_BYTES = 256 * 1024;

export interface Scripting {
  /** Launches a plan, as the Launch screen does, with the files of the model that it begins with, if it does; gives the federation and its invite link. */
  launch(
    planText: string,
    start?: readonly ScriptFile[],
  ): Promise<{ readonly federation: string; readonly inviteLink: string }>;
  /** Runs that are joined in this tab from now on train with this engine, not with the fastest. */
  useEngine(engine: AskedEngine): void;
  /** Views of the runs that are open in this tab, those it coordinates first. */
  views(): readonly RunView[];
  /** Files of the federation that this tab coordinates, as they are now; the large ones are read with `piece`. */
  files(): Promise<ScriptFiles>;
  /**
   * The next bytes of a large file of the last `files`, from byte `from` on, as base64url: 256 KiB, or what is left. A model in
   * one text would hold up the page for seconds.
   */
  piece(file: LargeFile, from: number): string;
}

declare global {
  interface Window {
    hushgrad?: Scripting;
  }
}

export function scriptingOf(application: BrowserApplication): Scripting {
  let large: Readonly<Record<LargeFile, Bytes>> | undefined;
  return {
    async launch(planText, start) {
      const draft = await application.readPlan(planText);
      const saved = start && readSavedModel(start.map(({ name, bytes }) => ({ name, bytes: fromBase64Url(bytes) })));
      const { federation, run } = await application.launch(draft, saved);
      return { federation, inviteLink: run.inviteLink };
    },
    useEngine(engine) {
      application.engine = engine;
    },
    views: () => [...application.coordinated, ...application.joined].map((run) => run.view()),
    async files() {
      const [run] = application.coordinated;
      if (run === undefined) throw new RangeError('This tab coordinates no federation.');
      const { weights, safetensors, ...texts } = await run.files();
      large = { weights, safetensors };
      return { ...texts, sizesBytes: { weights: weights.length, safetensors: safetensors.length } };
    },
    piece(file, from) {
      if (large === undefined) throw new RangeError('The files were not asked for yet.');
      return toBase64Url(large[file].subarray(from, from + PIECE_BYTES));
    },
  };
}
