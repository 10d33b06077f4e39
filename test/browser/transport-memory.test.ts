/** The in-memory transport in a browser, where "Try it here" uses it. */
import { memoryPair } from '../contract/memoryPair.ts';
import { transportContract } from '../contract/transportContract.ts';

transportContract('memory', memoryPair);
