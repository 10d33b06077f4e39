/** The engines on tfjs that need no graphics card keep the contract of an engine in a browser. */
import { openEngine } from '../../src/engine/openEngine.ts';
import { engineContract } from '../contract/engineContract.ts';

engineContract('cpu', () => openEngine('cpu'));
engineContract('wasm', () => openEngine('wasm'), { lacks: ['conv2d', 'depthwiseConv2d'] });
