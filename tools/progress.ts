/** How far a command is: a bar on a terminal, which is gone at the end; elsewhere nothing, lines say it there. */
const WIDTH = 24;
/** Sooner a guess says little. */
const GUESS_FROM = 0.02;
const START_OF_LINE = '\r\u001b[K';

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressBar {
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  readonly #startMs: number;

  constructor(screen: Screen = process.stderr, nowMs: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  get shows(): boolean {
    return this.#screen.isTTY === true;
  }

  /** `fraction` from 0 to 1. */
  show(fraction: number, text: string): void {
    if (!this.shows) return;
    const full = Math.round(WIDTH * fraction);
    const left = fraction < GUESS_FROM ? '' : ` · ${durationText(this.#leftMs(fraction))} left`;
    const line = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(100 * fraction)} %${left} · ${text}`;
    this.#screen.write(`${START_OF_LINE}${line.slice(0, (this.#screen.columns || 80) - 1)}`);
  }

  #leftMs(fraction: number): number {
    return ((this.#nowMs() - this.#startMs) * (1 - fraction)) / fraction;
  }

  /** Leaves an empty line. */
  clear(): void {
    if (this.shows) this.#screen.write(START_OF_LINE);
  }
}

export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (minutes === 0) return `${seconds} s`;
  return hours === 0 ? `${minutes} min ${seconds % 60} s` : `${hours} h ${minutes % 60} min`;
}
