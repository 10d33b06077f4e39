/** Which engine trains here: the fastest on the plan's own model among those that agree with plain JavaScript. */
import { ENGINE_NAMES } from '../core/engine.ts';
import type { EngineCandidate, EngineChoice, EngineName, TrainingEngine } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import type { LocalTraining } from '../core/plan.ts';
import type { Patience } from './availability.ts';
import { referenceRun } from './parity.ts';
import type { Reference } from './parity.ts';
import { checkAgain, probe } from './probe.ts';
import type { ProbeOptions } from './probe.ts';

/** Slowest to start last. Plain JavaScript is the reference for all, and is timed only when it may win. */
const ORDER: readonly EngineName[] = ['compiled-wasm', 'wasm', 'webgl', 'compiled-webgpu', 'webgpu', 'cpu'];

/** Plain JavaScript's first steps are taken cold, with few rows; this much behind even so, it has lost. */
const HOPELESS_FACTOR = 20;

/** An engine whose first step takes longer would hold the round up. */
const FIRST_STEP_LIMIT_MS = 5000;
/** When someone asks for one engine by name, they are willing to wait for it. */
const FORCED_FIRST_STEP_LIMIT_MS = 120_000;

/** Browsers and drivers are updated: what is older is measured anew. */
const REMEMBERED_FOR_MS = 30 * 24 * 3600 * 1000;

const SLOW_REFERENCE_MS = 500;

export interface ChooseOptions {
  readonly network: Network;
  readonly training: LocalTraining;
  readonly force?: EngineName;
  /** Of this network and batch size; what it says is checked, and not measured again. */
  readonly remembered?: EngineChoice | undefined;
  /** What this machine and browser are, as far as speed depends on it. */
  readonly machine: string;
  readonly open: (name: EngineName, patience: Patience) => Promise<TrainingEngine>;
}

export interface Chosen {
  readonly choice: EngineChoice;
  /** Open and warm. */
  readonly engine: TrainingEngine;
}

/** @throws HushError `engine/unavailable` with every candidate's reason when none can be used. */
export async function chooseEngine(options: ChooseOptions): Promise<Chosen> {
  const { network, training, force, machine } = options;
  const open: ProbeOptions['open'] = (name) => options.open(name, force ? 'patient' : 'impatient');
  const limitMs = force ? FORCED_FIRST_STEP_LIMIT_MS : FIRST_STEP_LIMIT_MS;
  const recalled = await recall(options, { network, training, limitMs, open });
  if (recalled) return recalled;
  // Asked for or not, nothing trains before it agreed with the reference.
  const reference = await referenceRun({ network, training, open });
  const candidates: EngineCandidate[] = [];
  let best: { readonly engine: TrainingEngine; readonly candidate: EngineCandidate } | undefined;
  for (const name of ORDER.filter((name) => !force || name === force)) {
    if (name === 'cpu' && best && HOPELESS_FACTOR * reference.samplesPerSecond < best.candidate.samplesPerSecond) {
      candidates.push(farBehind(reference, best.candidate.name));
      continue;
    }
    const { candidate, engine } = await probe({ name, network, training, reference, limitMs, open });
    candidates.push(candidate);
    if (!engine) continue;
    if (best && best.candidate.samplesPerSecond >= candidate.samplesPerSecond) {
      engine.close();
      continue;
    }
    best?.engine.close();
    best = { engine, candidate };
  }
  if (!best) {
    const reasons = candidates.map(({ name, reason }) => `${name}: ${reason}`).join(' ');
    throw new HushError('engine/unavailable', `No training engine can be used here. ${reasons}`, {
      advice: force ? `Do not ask for "${force}", or use another browser.` : 'Use another browser.',
    });
  }
  const { name, adapter, samplesPerSecond } = best.candidate;
  candidates.sort((a, b) => ENGINE_NAMES.indexOf(a.name) - ENGINE_NAMES.indexOf(b.name));
  const reason = force ? `${name} was asked for: ${best.candidate.reason}` : reasonFor(best.candidate, candidates);
  const measured = { atMs: Date.now(), machine, referenceMs: reference.tookMs };
  return { choice: { engine: name, adapter, samplesPerSecond, reason, candidates, measured }, engine: best.engine };
}

/** The engine that won before, if it still can be opened and still agrees with plain JavaScript. */
async function recall(
  { force, remembered, machine }: ChooseOptions,
  probing: Omit<ProbeOptions, 'name' | 'reference'>,
): Promise<Chosen | undefined> {
  const measured = remembered?.measured;
  if (force || !remembered || measured?.machine !== machine) return undefined;
  const ageMs = Date.now() - measured.atMs;
  if (!(ageMs >= 0 && ageMs <= REMEMBERED_FOR_MS)) return undefined;
  try {
    // It agreed on this very machine: where the reference is slow, its word from then is enough.
    const slow = measured.referenceMs > SLOW_REFERENCE_MS;
    const reference = slow ? undefined : await referenceRun(probing);
    return { choice: remembered, engine: await checkAgain({ ...probing, name: remembered.engine }, reference) };
  } catch {
    // The full choice finds out what is wrong with it, and says so.
    return undefined;
  }
}

function reasonFor(best: EngineCandidate, candidates: readonly EngineCandidate[]): string {
  const rate = `${Math.round(best.samplesPerSecond)} samples/s`;
  const others = candidates.filter(({ name, usable }) => usable && name !== best.name);
  const next = others.toSorted((a, b) => b.samplesPerSecond - a.samplesPerSecond)[0];
  if (!next) return `${best.name} is the only engine that can be used here, at ${rate}.`;
  const times = best.samplesPerSecond / next.samplesPerSecond;
  return `${best.name} is the fastest here: ${rate} on this model, ${times.toFixed(1)} times ${next.name}.`;
}

function farBehind({ adapter, samplesPerSecond, tookMs }: Reference, winner: EngineName): EngineCandidate {
  const reason = `About ${Math.round(samplesPerSecond)} samples/s in its first steps, far behind ${winner}.`;
  return { name: 'cpu', adapter, usable: true, samplesPerSecond, firstStepMs: tookMs, disagreement: 0, reason };
}
