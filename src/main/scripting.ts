/** `window.hushgrad`: what a script on this page, such as `npm run federate`, can do and see without pressing buttons. */
import { fromBase64Url, toBase64Url } from '../core/bytes.ts';
import type { AskedEngine } from '../core/localWork.ts';
import { readSavedModel } from '../core/savedModel.ts';
import type { RunView } from '../core/runView.ts';
import type { BrowserApplication } from './browserApplication.ts';

/** Bytes as base64url: only text crosses between a script and the page. */
export interface ScriptFile {
  readonly name: string;
  readonly bytes: string;
}

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
  /** Files of the federation that this tab coordinates; weights and safetensors as base64url. */
  files(): Promise<{
    readonly modelJson: string;
    readonly weights: string;
    readonly safetensors: string;
    readonly card: string;
    readonly metricsTable: string;
    readonly metrics: string;
    readonly ledger: string;
  }>;
}

declare global {
  interface Window {
    hushgrad?: Scripting;
  }
}

export function scriptingOf(application: BrowserApplication): Scripting {
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
      const { weights, safetensors, ...files } = await run.files();
      return { ...files, weights: toBase64Url(weights), safetensors: toBase64Url(safetensors) };
    },
  };
}
