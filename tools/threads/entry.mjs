/** Where a thread begins: without this, Node's threads know no TypeScript. `workerData` is the address of what is run. */
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData);
