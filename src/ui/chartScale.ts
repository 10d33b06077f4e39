/** Axes: round ticks at 1, 2 or 5 times a power of ten, and where a value lies between the ends. */

export interface Scale {
  readonly max: number;
  readonly ticks: readonly number[];
  /** Places after the point that tell all ticks apart. */
  readonly digits: number;
}

/** From 0 to at least `max`, about `parts` parts; `integer` for rounds. */
export function scaleTo(max: number, parts: number, integer = false): Scale {
  const wanted = (max > 0 ? max : 1) / parts;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const nice = [1, 2, 5, 10].find((factor) => factor * power >= wanted * 0.999) ?? 10;
  const step = integer ? Math.max(1, Math.round(nice * power)) : nice * power;
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return { max: steps * step, ticks: Array.from({ length: steps + 1 }, (_, i) => i * step), digits };
}
