/** A measure by round, drawn at the width that the card has, so that its text keeps its size on a phone. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { MetricName } from '../core/metrics.ts';
import type { MeasuredPoint } from '../core/runView.ts';
import { scaleTo } from './chartScale.ts';
import type { Scale } from './chartScale.ts';
import { figure, linesWithFigures } from './measures.ts';
import type { Measure } from './measures.ts';

const HEIGHT = 240;
const LEFT = 36;
const RIGHT = 5;
const TOP = 30;
const BOTTOM = 28;
const MAX_DOTS = 40;
/** Of what is 1 at best. */
const TO_ONE: Scale = { max: 1, ticks: [0, 0.25, 0.5, 0.75, 1], digits: 2 };
/** "20K": more digits do not fit beside the axis. */
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' });
const BEST_IS_ONE: readonly MetricName[] = ['accuracy', 'f1', 'r2'];

interface Props {
  readonly curve: readonly MeasuredPoint[];
  readonly rounds: number;
  readonly measure: Measure;
}

export function CurveChart({ curve, rounds, measure }: Props) {
  const { box, width } = useWidth(420);
  const across = scaleTo(Math.max(rounds, 1), Math.min(6, Math.max(2, Math.floor(width / 90))), true);
  const values = curve.flatMap((point) => measure.lines.map(({ of }) => of(point) ?? 0));
  const up = BEST_IS_ONE.includes(measure.metric) ? TO_ONE : scaleTo(Math.max(0, ...values), 4);
  const x = (round: number): number => LEFT + (round / Math.max(rounds, 1)) * (width - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / up.max) * (HEIGHT - TOP - BOTTOM);
  const tick = (value: number): string =>
    measure.metric === 'accuracy'
      ? `${Math.round(value * 100)}`
      : up.max < 1000
        ? value.toFixed(up.digits)
        : COMPACT.format(value);
  return (
    <div class="chart" ref={box}>
      <svg
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={description({ curve, rounds, measure })}
      >
        <text class="axis" x={0} y={12}>
          {measure.axis}
        </text>
        {up.ticks.map((value) => (
          <g key={value}>
            <line class={value === 0 ? 'grid base' : 'grid'} x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
            <text class="axis" x={LEFT - 8} y={y(value) + 4} text-anchor="end">
              {tick(value)}
            </text>
          </g>
        ))}
        {across.ticks
          .filter((round) => round <= rounds)
          .map((round) => (
            <text
              key={round}
              class="axis"
              x={x(round)}
              y={HEIGHT - 9}
              text-anchor={round === rounds ? 'end' : 'middle'}
            >
              {round}
            </text>
          ))}
        <text class="axis" x={width - RIGHT} y={12} text-anchor="end">
          by round, of {rounds}
        </text>
        {linesWithFigures(measure, curve).map((line) => {
          const points = curve.flatMap((point) => {
            const value = line.of(point);
            return value === undefined
              ? []
              : [{ x: x(point.round), y: y(Math.max(0, Math.min(value, up.max))), round: point.round }];
          });
          const last = points.at(-1);
          return (
            <g key={line.part} class={`line line-${line.part}`}>
              <polyline fill="none" points={points.map((at) => `${at.x.toFixed(1)},${at.y.toFixed(1)}`).join(' ')} />
              {line.part === 'test' &&
                points.length <= MAX_DOTS &&
                points.map((at) => <circle key={at.round} class="dot" cx={at.x} cy={at.y} r={2.2} />)}
              {last && <circle class="dot" cx={last.x} cy={last.y} r={line.part === 'test' ? 4.2 : 2.6} />}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function description({ curve, rounds, measure }: Props): string {
  const first = curve[0];
  const last = curve.at(-1);
  if (!first || !last) return `Chart of ${measure.name} by round: nothing measured yet.`;
  const told = linesWithFigures(measure, curve).map(
    ({ part, of }) =>
      `${part} ${measure.name} from ${figure(measure.metric, of(first))} to ${figure(measure.metric, of(last))}`,
  );
  return `Chart of ${measure.name} by round, after ${first.round} to ${last.round} of ${rounds} rounds: ${told.join(', ')}. The table below has every figure.`;
}

function useWidth(initial: number) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    // Its first call comes after this frame's layout; to ask for the width here would lay the page out twice.
    const observer = new ResizeObserver(([entry]) => {
      const measured = Math.floor(entry?.contentRect.width ?? 0);
      if (measured > 0) setWidth(measured);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { box, width };
}
