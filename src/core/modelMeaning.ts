/** A sentence for each field of `model`, for docs/plan.md; `planFields.ts` in tools says how the keys are made. */

const INPUTS = 'Values of one example.';
const OUTPUTS = 'Classes; 1 where a value is learnt, or two classes with binary cross-entropy.';
const LENGTH = 'Tokens of one example: that of `data.schema`.';
const VOCABULARY = 'How many tokens there are: 256 bytes, and one for each merge of `data.schema`.';
const LOSS =
  '`softmax-cross-entropy` for classes and tokens; `binary-cross-entropy` for two classes told by one output; `mean-squared-error` for values.';

function imageSizes(architecture: string): Readonly<Record<string, string>> {
  return {
    [`model[${architecture}].height`]: 'Rows of pixels of one image.',
    [`model[${architecture}].width`]: 'Columns of pixels of one image.',
    [`model[${architecture}].channels`]: '1 for grey images, 3 for colour.',
    [`model[${architecture}].outputs`]: 'Classes.',
  };
}

export const MODEL_MEANING: Readonly<Record<string, string>> = {
  model: 'What is trained: an architecture with its sizes.',
  'model[mlp]': 'Dense layers over flat values, with one activation between them.',
  'model[mlp].inputs': INPUTS,
  'model[mlp].hidden': 'Units of each layer before the last.',
  'model[mlp].outputs': OUTPUTS,
  'model[mlp].activation': 'Of each layer before the last.',
  'model[mlp].loss': `${LOSS} Without it \`softmax-cross-entropy\`.`,
  'model[linear]': 'One dense layer: logistic regression, or with `mean-squared-error` linear regression.',
  'model[linear].inputs': INPUTS,
  'model[linear].outputs': OUTPUTS,
  'model[linear].loss': LOSS,
  'model[lenet]':
    'Two convolutions of 5 by 5 with 8 and 16 filters, each with a pooling, and a dense layer of 64, after LeNet-5 (LeCun et al. 1998).',
  ...imageSizes('lenet'),
  'model[cnn]':
    'The network of McMahan et al. 2017, section 3: as `lenet`, with 32 and 64 filters and a dense layer of 512.',
  ...imageSizes('cnn'),
  'model[resnet]':
    'A residual network in the form for CIFAR (He et al. 2016, section 4.2) with normalised convolutions of 3 by 3: three stages, each twice as wide and half as large as the one before; where the shape changes the shortcut is a convolution of 1 by 1. Means and variances of its normalisations are followed by each participant, and averaged with the rest.',
  ...imageSizes('resnet'),
  'model[resnet].filters': 'Of each convolution of the first stage; 16 in the paper.',
  'model[resnet].blocksPerStage': 'Pairs of convolutions in each stage; 3 make the paper’s ResNet-20.',
  'model[gpt]': 'A transformer that predicts each next token from those before it (Radford et al. 2019).',
  'model[gpt].width': 'Of the vector that stands for a token.',
  'model[gpt].layers': 'Blocks of attention and a dense part.',
  'model[gpt].heads': 'Of each attention; a divisor of the width.',
  'model[gpt].length': LENGTH,
  'model[gpt].vocabulary': VOCABULARY,
  'model[lstm]': 'One long short-term memory that predicts each next token.',
  'model[lstm].vocabulary': VOCABULARY,
  'model[lstm].width': 'Of the vector that stands for a token.',
  'model[lstm].units': 'Of the memory.',
  'model[lstm].length': LENGTH,
  'model[layers]':
    'A tfjs layers model by its file, pinned with the plan. Without `weights` its layers are trained by the same engines as the other models; with them tfjs layers itself trains it, on the fastest backend of tfjs that agrees with plain JavaScript. A layer or an option that neither can train is refused by name. Weights begin as those of the other models do, whatever initialiser the file names.',
  'model[layers].topology': 'The `modelTopology` of its model.json, or of Keras’s `model_config` in there.',
  'model[layers].topology.class_name': 'Layers one after the other, or a graph of layers.',
  'model[layers].topology.config':
    'What the model is made of; of a graph also `input_layers` and `output_layers`, one each.',
  'model[layers].topology.config.layers':
    'In the order of the file: InputLayer, Dense, Conv2D, DepthwiseConv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, BatchNormalization, LayerNormalization, Dropout, Embedding, LSTM (all places, `sigmoid` as recurrent activation), Activation, ReLU, Flatten, Reshape (of the input, or to one row), Add, and Softmax at the end. With `weights` also Conv1D, SeparableConv2D, Conv2DTranspose, UpSampling2D (nearest), ZeroPadding2D, Cropping2D, the other poolings in one and two dimensions, SimpleRNN, GRU, any LSTM, Bidirectional, TimeDistributed, RepeatVector, Permute, any Reshape, SpatialDropout1D, LeakyReLU, PReLU, ELU, ThresholdedReLU, Multiply, Average, Maximum, Minimum, Concatenate, and all activations of tfjs layers.',
  'model[layers].topology.config.layers[].class_name': 'The Keras class of the layer.',
  'model[layers].topology.config.layers[].config': 'The options of that class.',
  'model[layers].topology.config.layers[].config.name': 'What the names of its weights begin with.',
  'model[layers].topology.config.layers[].inbound_nodes': 'Of a layer in a graph: what it reads.',
  'model[layers].weights':
    'The weights that the model.json lists, for a model that tfjs layers trains: taken from its `weightsManifest`, without their values.',
  'model[layers].weights[].name': 'As the file has it. It begins with the name of its layer.',
  'model[layers].weights[].shape': 'Sizes along its axes.',
  'model[layers].loss': `${LOSS} A last softmax or sigmoid belongs to it.`,
};
