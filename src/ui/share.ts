/** The share of the time that this machine may train: one for every run in this tab, kept in this browser. */
import { effect, signal } from '@preact/signals';
import { nearestShare, WHOLE_SHARE } from '../core/share.ts';
import { keep, kept } from './kept.ts';

const KEY = 'hushgrad/share';

export const share = signal(WHOLE_SHARE);

export function startShare(): void {
  share.value = nearestShare(Number(kept(KEY) ?? WHOLE_SHARE));
  effect(() => keep(KEY, String(share.value)));
}
