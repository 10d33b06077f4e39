/** Engine: which one trains here, how fast it is, and why the others were not chosen. */
import { ENGINE_NAMES } from '../core/engine.ts';
import type { EngineCandidate, EngineChoice, EngineName } from '../core/engine.ts';
import { Card, Facts } from './controls.tsx';
import { UNKNOWN, duration, rate } from './format.ts';
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

export function EngineCard({ choice }: { readonly choice: EngineChoice }) {
  return (
    <Card title="Engine" name="engine">
      <p>{choice.reason}</p>
      <Facts
        of={[
          ['Chosen', engineName(choice.engine)],
          ['Adapter', choice.adapter],
          ['Speed', rate(choice.samplesPerSecond)],
        ]}
      />
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
    </Card>
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
