/** Builds what is out of date, serves it, and prints the link. */
import { parseArgs } from 'node:util';
import { HushError } from '../src/core/errors.ts';
import { buildApplication, DATA_DIR } from './build.ts';
import { ROOT, runIfMain } from './command.ts';
import { startServer } from './server.ts';

const DEFAULT_PORT = 4780;

const HELP = `npm start [-- --port PORT] [--host HOST]

Builds the application if need be, and serves it with its signalling server on one port. Ctrl-C ends it.

  --port PORT  the port, ${DEFAULT_PORT} unless given; 0 takes a free one
  --host HOST  the address to listen on, 127.0.0.1 unless given, which only this machine reaches. Browsers give other
               machines the secure context that WebGPU needs over https alone: put a TLS proxy in front
  --help       shows this`;

runIfMain(import.meta.url, async (args) => {
  const { values } = parseArgs({
    args,
    options: { port: { type: 'string' }, host: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const port = readPort(values.port ?? String(DEFAULT_PORT));
  if (await buildApplication()) console.log('Built the application.');
  const server = await startServer({ port, root: ROOT, dataDir: DATA_DIR, host: values.host ?? '127.0.0.1' });
  console.log('hushgrad is served at');
  console.log(server.url);
  console.log('Ctrl-C ends it.');
  await interrupted();
  await server.close();
  return 0;
});

/** @throws HushError `command/port`. */
function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new HushError('command/port', `"--port" is ${JSON.stringify(text)}, expected a number from 0 to 65535.`);
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}
