/** How much of the time this machine trains: a slider, and a word about the battery. */
import { useEffect, useId, useState } from 'preact/hooks';
import { LEAST_SHARE, nearestShare, SHARE_STEP, WHOLE_SHARE } from '../core/share.ts';
import { percent } from './format.ts';
import { share } from './share.ts';

export function ShareControl() {
  const id = useId();
  const discharging = useDischarging();
  const words = percent(share.value / WHOLE_SHARE, 0);
  return (
    <div class="share">
      <label for={id}>Share of this machine’s time</label>
      <output for={id}>{words}</output>
      <input
        id={id}
        type="range"
        min={LEAST_SHARE}
        max={WHOLE_SHARE}
        step={SHARE_STEP}
        value={share.value}
        aria-valuetext={words}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => (share.value = nearestShare(currentTarget.valueAsNumber))}
      />
      <p class="hint" id={`${id}-hint`}>
        {share.value === WHOLE_SHARE
          ? 'Trains without a break. With less it rests after each step, and the round takes longer.'
          : 'Rests after each step, so that the machine stays free for other things; the round takes longer.'}
        {discharging && ' This device runs on its battery: a smaller share makes it last longer.'}
      </p>
    </div>
  );
}

/** " at 50 %" where it trains for half of the time, nothing where it does for all of it. */
export function atShare(): string {
  return share.value === WHOLE_SHARE ? '' : ` at ${percent(share.value / WHOLE_SHARE, 0)}`;
}

/** The Battery Status API, where there is one. */
interface Battery extends EventTarget {
  readonly charging: boolean;
}

function useDischarging(): boolean {
  const [discharging, set] = useState(false);
  useEffect(() => {
    const listening = new AbortController();
    const { getBattery } = navigator as { readonly getBattery?: () => Promise<Battery> };
    void getBattery
      ?.call(navigator)
      .then((battery) => {
        const look = (): void => {
          if (!listening.signal.aborted) set(!battery.charging);
        };
        battery.addEventListener('chargingchange', look, { signal: listening.signal });
        look();
      })
      .catch(() => undefined);
    return () => listening.abort();
  }, []);
  return discharging;
}
