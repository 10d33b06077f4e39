/** Models of stock tfjs layers that have layers without kernels of ours, and their files. */
import type * as tfjs from '@tensorflow/tfjs';
import { bytesToFloat32 } from '../../src/core/bytes.ts';
import { readModelFile } from '../../src/core/layersFile.ts';
import type { LayersModel } from '../../src/core/layersFile.ts';

type Tf = typeof tfjs;

const sequential =
  (...layers: ((tf: Tf) => tfjs.layers.Layer)[]) =>
  (tf: Tf): tfjs.LayersModel =>
    tf.sequential({ layers: layers.map((layer) => layer(tf)) });

/** tfjs begins recurrent weights with an orthogonal matrix, whose decomposition takes long. */
const QUICK = { recurrentInitializer: 'glorotUniform' } as const;

/** By what each is for. */
export const KERAS_MODELS = {
  'recurrent layers': sequential(
    (tf) => tf.layers.gru({ units: 5, returnSequences: true, inputShape: [6, 3], ...QUICK }),
    (tf) => tf.layers.lstm({ units: 4, ...QUICK }),
    (tf) => tf.layers.dense({ units: 3, activation: 'softmax' }),
  ),
  'two branches': (tf) => {
    const input = tf.input({ shape: [12] });
    const rows = tf.layers.reshape({ targetShape: [4, 3] }).apply(input);
    const along = tf.layers.conv1d({ filters: 4, kernelSize: 2, padding: 'same', activation: 'elu' }).apply(rows);
    const pooled = tf.layers.globalMaxPooling1d({}).apply(along) as tfjs.SymbolicTensor;
    const flat = tf.layers.dense({ units: 4, activation: 'softplus' }).apply(input) as tfjs.SymbolicTensor;
    const both = tf.layers
      .concatenate()
      .apply([pooled, flat, tf.layers.multiply().apply([pooled, flat]) as tfjs.SymbolicTensor]);
    const outputs = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tfjs.SymbolicTensor;
    return tf.model({ inputs: input, outputs });
  },
  images: sequential(
    (tf) => tf.layers.separableConv2d({ filters: 4, kernelSize: 3, inputShape: [6, 5, 2] }),
    (tf) => tf.layers.batchNormalization({ momentum: 0.9 }),
    (tf) => tf.layers.prelu(),
    (tf) => tf.layers.zeroPadding2d({ padding: 1 }),
    (tf) => tf.layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: [2, 2], padding: 'same' }),
    (tf) => tf.layers.globalAveragePooling2d({}),
    (tf) => tf.layers.dense({ units: 3, activation: 'softmax' }),
  ),
  text: sequential(
    (tf) => tf.layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5 }),
    (tf) => tf.layers.simpleRNN({ units: 4, returnSequences: true, ...QUICK }),
    (tf) => tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 7, activation: 'softmax' }) }),
  ),
  'both ways': sequential(
    (tf) =>
      tf.layers.bidirectional({
        layer: tf.layers.lstm({ units: 3, returnSequences: true, ...QUICK }),
        mergeMode: 'ave',
        inputShape: [4, 2],
      }),
    (tf) => tf.layers.maxPooling1d({ poolSize: 2 }),
    (tf) => tf.layers.flatten(),
    (tf) => tf.layers.repeatVector({ n: 2 }),
    (tf) => tf.layers.permute({ dims: [2, 1] }),
    (tf) => tf.layers.flatten(),
    (tf) => tf.layers.dense({ units: 1, activation: 'sigmoid' }),
  ),
} satisfies Readonly<Record<string, (tf: Tf) => tfjs.LayersModel>>;

/** A row read as a sequence by a recurrent layer, beside the row as it is: for plans on flat values. */
export function rowBesideSequence(tf: Tf, inputs: number, classes: number): tfjs.LayersModel {
  const input = tf.input({ shape: [inputs] });
  const sequence = tf.layers.reshape({ targetShape: [inputs, 1] }).apply(input);
  const read = tf.layers.gru({ units: 4, ...QUICK }).apply(sequence) as tfjs.SymbolicTensor;
  const flat = tf.layers.dense({ units: 6, activation: 'elu' }).apply(input) as tfjs.SymbolicTensor;
  const both = tf.layers.concatenate().apply([read, flat]);
  const outputs = tf.layers.dense({ units: classes, activation: 'softmax' }).apply(both) as tfjs.SymbolicTensor;
  return tf.model({ inputs: input, outputs });
}

export interface SavedKeras {
  readonly model: LayersModel;
  /** Text of its model.json. */
  readonly json: string;
  /** What its weights began with, in the order of the file. */
  readonly parameters: Float32Array;
}

/** As `model.save` gives it. */
export async function savedKeras(tf: Tf, built: tfjs.LayersModel, learnsValues = false): Promise<SavedKeras> {
  let artifacts: tfjs.io.ModelArtifacts = {};
  await built.save(
    tf.io.withSaveHandler((given) => {
      artifacts = given;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
    }),
  );
  const { modelTopology, weightSpecs = [], weightData } = artifacts;
  const json = JSON.stringify({
    format: 'layers-model',
    modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  });
  const parameters = bytesToFloat32(new Uint8Array(weightData as ArrayBuffer));
  return { model: readModelFile('model.json', json, learnsValues), json, parameters };
}
