/** The project's own server, for the browser tests that need signalling. */
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startServer } from '../../../tools/server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    signalPort: number;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = project.config.root;
  const server = await startServer({ port: 0, root, dataDir: join(root, '.cache', 'data') });
  project.provide('signalPort', server.port);
  return () => server.close();
}
