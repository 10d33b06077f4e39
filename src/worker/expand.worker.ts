/** Entry of the summing worker's helpers: one message is a stretch, and is answered by its words, in order. */
import { expandStretch } from './spreading.ts';
import type { Stretch } from './spreading.ts';

addEventListener('message', ({ data }: MessageEvent<Stretch>) => {
  const words = expandStretch(data);
  postMessage(words, { transfer: [words.buffer] });
});
