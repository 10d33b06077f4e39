/** Engine: which one trains here, how fast it is, and why the others were not chosen. */
import { useState } from 'preact/hooks';
import { ENGINE_NAMES } from '../core/engine.ts';
import type { EngineCandidate, EngineChoice, EngineName } from '../core/engine.ts';
import { WHOLE_SHARE } from '../core/share.ts';
import { Button, Card, Facts } from './controls.tsx';
import { UNKNOWN, dateTime, duration, rate } from './format.ts';
import { share } from './share.ts';
import { atShare, ShareControl } from './shareControl.tsx';
import { StateGlyph } from './stateMark.tsx';

const NAMES: Readonly<Record<EngineName, string>> = {
  'compiled-webgpu': 'Compiled WebGPU',
  'compiled-wasm': 'Compiled WebAssembly',
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
  webgl: 'WebGL',
  cpu: 'JavaScript',
};

export function engineName(name: EngineName): string {
  return NAMES[name];
}

/** What somebody else's tab calls its engine; may be anything. */
export function engineLabel(said: string): string {
  const name = ENGINE_NAMES.find((known) => known === said);
  return name ? NAMES[name] : said || UNKNOWN;
}

interface Props {
  readonly choice: EngineChoice;
  /** Undefined where there is nothing left to measure for. */
  readonly onMeasure: (() => void) | undefined;
}

export function EngineCard({ choice, onMeasure }: Props) {
  return (
    <Card title="Engine" name="engine">
      <p>{choice.reason}</p>
      <Facts
        of={[
          ['Chosen', engineName(choice.engine)],
          ['Adapter', choice.adapter],
          [
            'Speed',
            `${rate(choice.samplesPerSecond)}${share.value < WHOLE_SHARE ? ' while it works,' : ''}${atShare()}`,
          ],
          ...(choice.measured ? ([['Measured', dateTime(choice.measured.atMs)]] as const) : []),
        ]}
      />
      {onMeasure && <ShareControl />}
      <table class="engines">
        <caption class="visually-hidden">Engines that were tried</caption>
        <thead>
          <tr>
            <th scope="col">Engine</th>
            <th scope="col" class="number">
              Speed
            </th>
            <th scope="col" class="number wide-only">
              First step
            </th>
          </tr>
        </thead>
        {choice.candidates.map((candidate) => (
          <Candidate key={candidate.name} candidate={candidate} chosen={candidate.name === choice.engine} />
        ))}
      </table>
      {onMeasure && <MeasureButton choice={choice} onMeasure={onMeasure} />}
    </Card>
  );
}

/** Waits for the choice that its press asks for. */
function MeasureButton({ choice, onMeasure }: { readonly choice: EngineChoice; readonly onMeasure: () => void }) {
  const [pressedFor, setPressedFor] = useState<EngineChoice | undefined>(undefined);
  const measuring = pressedFor === choice;
  return (
    <Button
      unavailable={measuring}
      onPress={() => {
        setPressedFor(choice);
        onMeasure();
      }}
    >
      {measuring ? 'Measuring' : 'Measure again'}
    </Button>
  );
}

function Candidate({ candidate, chosen }: { readonly candidate: EngineCandidate; readonly chosen: boolean }) {
  const shape = chosen ? 'done' : candidate.usable ? 'idle' : 'gone';
  return (
    <tbody>
      <tr class="pair">
        <th scope="row">
          <span class="with-glyph">
            <StateGlyph shape={shape} />
            {engineName(candidate.name)}
            {chosen ? ', chosen' : candidate.usable ? '' : ', not usable'}
          </span>
        </th>
        <td class="number">{rate(candidate.samplesPerSecond)}</td>
        <td class="number wide-only">{candidate.usable ? duration(candidate.firstStepMs / 1000) : UNKNOWN}</td>
      </tr>
      <tr>
        <td colSpan={3} class="reason">
          {candidate.reason}
        </td>
      </tr>
    </tbody>
  );
}
