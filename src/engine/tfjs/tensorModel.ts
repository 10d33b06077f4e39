/** How a network is run on tfjs: written out, differentiated, or by tfjs layers. */
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import { AutodiffModel } from './autodiff.ts';
import type { Backend } from './backend.ts';
import { isMlp, Mlp } from './mlp.ts';
import type { TensorModel } from './model.ts';

/** On the active backend. @throws HushError `engine/unsupported` for a model that tfjs layers reads otherwise. */
export async function openTensorModel(placed: PlacedNetwork, { copiesTransposed }: Backend): Promise<TensorModel> {
  const [first] = placed.network.layers;
  // tfjs layers is larger than all that is here: only who needs it loads it.
  if (first?.kind === 'keras') return await (await import('./kerasModel.ts')).openKerasModel(placed, first.model);
  return isMlp(placed) ? new Mlp(placed, copiesTransposed) : new AutodiffModel(placed);
}
