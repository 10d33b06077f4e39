/** What changes in a view when coordinator and participant are in the same browser. */
import type { RunView } from '../core/runView.ts';

/** One who sees more than the sum (PROTOCOL, Groups and thresholds): a coordinator that takes part knows its own update. */
export function withColluder(view: RunView, bothHere: boolean): RunView {
  if (!bothHere) return view;
  const { anonymitySet } = view;
  return {
    ...view,
    knownColluders: 1,
    anonymitySet: anonymitySet === undefined ? undefined : Math.max(0, anonymitySet - 1),
  };
}
