/** Lets messages in between two steps, without the 4 ms that nested timers cost. */

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/** Resolves in a later task of the event loop. */
export function turn(): Promise<void> {
  // Node handles up to a thousand messages of a port before anything else gets its turn.
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  channel ??= openChannel();
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}

function openChannel(): MessageChannel {
  const opened = new MessageChannel();
  opened.port1.addEventListener('message', () => waiting.shift()?.());
  opened.port1.start();
  return opened;
}
