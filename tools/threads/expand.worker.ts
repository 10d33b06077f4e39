/** Entry of a thread that expands masks: one message is a stretch, and is answered by its words, in order. */
import { parentPort } from 'node:worker_threads';
import { expandStretch } from '../../src/worker/spreading.ts';
import type { Stretch } from '../../src/worker/spreading.ts';

parentPort?.on('message', (stretch: Stretch) => {
  const words = expandStretch(stretch);
  parentPort?.postMessage(words, [words.buffer as ArrayBuffer]);
});
