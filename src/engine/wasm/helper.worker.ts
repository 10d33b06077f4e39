/** Entry of a helper thread: one message is its order. */
import { follow } from './helper.ts';
import type { HelperOrder } from './helper.ts';

addEventListener('message', ({ data }: MessageEvent<HelperOrder>) => follow(data, () => postMessage('ready')));
