/**
 * Entry of the worker in which one engine trains one model. Imports nothing at once: chunks would import it back, without
 * the query in its address, and so run it a second time.
 */
import type { Question } from './cell.ts';

const cell = import('./cell.ts').then(({ Cell }) => new Cell());

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  void cell.then(async (opened) => postMessage(await opened.reply(data)));
});
