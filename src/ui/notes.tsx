/** A box that says what is wrong or what to do; the shape of its mark says how serious it is. */
import type { ComponentChildren } from 'preact';
import type { ProblemView } from '../core/runView.ts';

export type Tone = 'info' | 'good' | 'warn' | 'bad';

const MARKS: Readonly<Record<Tone, string>> = {
  info: 'M8 7v4.5M8 4.4v.4',
  good: 'M4.8 8.3l2.2 2.2 4.2-4.6',
  warn: 'M8 4.4v4M8 11.2v.4',
  bad: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
};

/** Round for information, a triangle for a warning, an octagon for what is broken. */
const OUTLINES: Readonly<Record<Tone, string>> = {
  info: 'M8 1.2a6.8 6.8 0 1 0 0 13.6a6.8 6.8 0 1 0 0-13.6z',
  good: 'M8 1.2a6.8 6.8 0 1 0 0 13.6a6.8 6.8 0 1 0 0-13.6z',
  warn: 'M8 .9L15.4 14.2H.6z',
  bad: 'M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2z',
};

export function ToneMark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark tone-${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={OUTLINES[tone]} />
      <path d={MARKS[tone]} />
    </svg>
  );
}

export function Note({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <div class={`note note-${tone}`}>
      <ToneMark tone={tone} />
      <div>{children}</div>
    </div>
  );
}

/** `id` lets a field point at it as its error. */
export function ProblemNote({
  problem,
  id,
  children,
}: {
  readonly problem: ProblemView;
  readonly id?: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="note note-bad" role="alert" {...(id === undefined ? {} : { id })}>
      <ToneMark tone="bad" />
      <div>
        <p>
          {problem.message} {problem.advice} <span class="code">{problem.code}</span>
        </p>
        {children}
      </div>
    </div>
  );
}
