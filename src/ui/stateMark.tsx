/** The shape of a person's state, in the round's picture and in the table: ring, filled dot, barred ring, crossed ring. */
import type { StateShape } from './personState.ts';

/** Drawn around the origin. An arc around a busy ring shows how far the step is. */
export function StateMark({
  shape,
  radius,
  fraction,
}: {
  readonly shape: StateShape;
  readonly radius: number;
  readonly fraction?: number | undefined;
}) {
  const line = Math.max(0.7, radius / 4.5);
  const r = radius - line / 2;
  const cross = radius * 0.36;
  return (
    <g class={`state state-${shape}`} stroke-width={line}>
      <circle class="state-body" r={shape === 'done' ? radius : r} />
      {shape === 'busy' && fraction !== undefined && fraction > 0 && (
        <circle
          class="state-arc"
          r={r}
          pathLength="1"
          stroke-dasharray={`${Math.min(1, fraction)} 1`}
          transform="rotate(-90)"
        />
      )}
      {shape === 'asleep' && <path d={`M${-cross} 0H${cross}`} />}
      {shape === 'gone' && <path d={`M${-cross} ${-cross}L${cross} ${cross}M${cross} ${-cross}L${-cross} ${cross}`} />}
    </g>
  );
}

/** The same, as a glyph of 12 px beside words. */
export function StateGlyph({
  shape,
  fraction,
}: {
  readonly shape: StateShape;
  readonly fraction?: number | undefined;
}) {
  return (
    <svg class="glyph" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
      <StateMark shape={shape} radius={5} fraction={fraction} />
    </svg>
  );
}
