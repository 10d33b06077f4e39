/** Serves /data/ on the test page's own origin, as the project's server does, so that workers fetch real files. */
import express from 'express';
import type { Plugin } from 'vite';
import { join } from 'node:path';
import { buildDigits } from '../../../tools/build-digits.ts';

export function servedData(): Plugin {
  return {
    name: 'hushgrad:served-data',
    async configureServer(server) {
      const directory = join(server.config.root, '.cache', 'data');
      await buildDigits(directory);
      const files = express();
      files.use('/data', express.static(directory, { index: false, redirect: false }));
      server.middlewares.use(files);
    },
  };
}
