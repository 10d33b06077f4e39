/** Entry of the browser's worker: measures once, when told how much. */
import { measureMasks } from './maskSpeeds.ts';

globalThis.addEventListener('message', ({ data }: MessageEvent<readonly [words: number, repeats: number]>) => {
  postMessage(measureMasks(...data));
});
