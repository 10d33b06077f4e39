/** A sentence for each field of the plan, for docs/plan.md; `planFields.ts` in tools says how the keys are made. */
import { DATA_MEANING } from './dataMeaning.ts';
import type { MetricName } from './metrics.ts';
import { MODEL_MEANING } from './modelMeaning.ts';

/** Every field, and every form of a field that has several, has one: a test says which lack it. */
export const PLAN_MEANING: Readonly<Record<string, string>> = {
  schema: 'The version of this format.',
  name: 'What people see first.',
  description: 'What is learnt, from what, and for what.',
  licence: 'Of the plan and of the model that comes of it.',
  lane: 'Updates are only ever seen as a sum.',
  task: 'What is learnt of each example.',
  'task[classification]': 'Which class it is of.',
  'task[classification].classes': 'Names of the classes, in the order of the outputs.',
  'task[regression]': 'A value.',
  'task[next-token]': 'The next token at each place of a text.',
  data: 'What is trained on.',
  'data[public]': 'A data set that the server serves, cut into a shard for each participant.',
  'data[public].name': 'The name by which the server has it.',
  'data[public].sha256': 'Of its content, uncompressed, or of the index of its files: anything else is refused.',
  'data[public].licence': 'Of the data, with its authors.',
  'data[public].shards': 'How many parts there are, one a participant.',
  'data[public].split': 'How the training part is cut into shards.',
  'data[public].split[iid]': 'At random.',
  'data[public].split[label]':
    'Sorted by class, cut into `labelsPerShard` · `shards` runs, dealt out (McMahan et al. 2017, section 3).',
  'data[public].split[label].labelsPerShard': 'Runs of one participant.',
  'data[public].split[dirichlet]': 'Shares of the classes drawn for each shard (Hsu et al. 2019, section 3).',
  'data[public].split[dirichlet].alpha': 'The smaller, the more the shards differ.',
  'data[public].split[natural]': 'By the data set itself, such as an island each: shard i is what its client i has.',
  'data[private]': 'Everybody’s own files, read in their own tab.',
  ...DATA_MEANING,
  ...MODEL_MEANING,
  start: 'Begins with a saved model, which the coordinator brings, instead of what the seed gives.',
  'start.modelHash': 'SHA-256 of its parameters.',
  training: 'What each participant does in a round.',
  'training.optimizer': 'How a gradient becomes a step; forgotten after each round.',
  'training.optimizer[sgd]': 'Plain descent.',
  'training.optimizer[momentum]': 'Descent along a running sum of gradients (Sutskever et al. 2013).',
  'training.optimizer[momentum].momentum': 'What is kept of the sum from step to step.',
  'training.optimizer[adam]': 'Adam (Kingma and Ba 2015), with the values recommended there.',
  'training.optimizer[adamw]': 'Adam with decoupled weight decay (Loshchilov and Hutter 2019).',
  'training.optimizer[adamw].weightDecay': 'How much of the learning rate the parameters shrink by in a step.',
  'training.learningRate': 'Of each step.',
  'training.batchSize': 'Examples of one step.',
  'training.epochs': 'Passes over the participant’s own data in one round.',
  'training.fedProxMu':
    'Weight of the term that holds a participant near the model it began with (FedProx, Li et al. 2020); 0 leaves it out.',
  statistics: 'A first round adds up what everyone’s data is like, before anything is trained; see the README.',
  'statistics.normalise':
    'The model takes the means and variances that were found, and normalises numbers, dates and colour channels by them.',
  'statistics.minimumSupport':
    'Hashed buckets and tokens that one person has fewer times are counted as none of that person’s.',
  'training.frozen':
    'Names of layers, as their parameters’ names begin: neither trained nor sent, they stay as the first model has them.',
  'training.maxGradientNorm': 'A batch’s gradient is scaled down to this L2 norm; without it, left as it is.',
  'training.balance':
    'With `oversample`, what a participant trains on has examples of rarer classes several times: each class as often as the geometric mean of its number and that of the most frequent one. Its weight in the average stays the number of its examples. Without it `none`.',
  aggregation: 'How updates are added up, and when.',
  'aggregation.server': 'Federated averaging.',
  'aggregation.serverLearningRate': 'The mean update is taken times this.',
  'aggregation.rounds': 'Completed rounds after which the federation ends.',
  'aggregation.cohort': 'How many people a round has.',
  'aggregation.cohort.minimum': 'With fewer no round begins, and no sum is unmasked.',
  'aggregation.cohort.target': 'A round begins at once with so many; at most 255 without groups.',
  'aggregation.groupSize':
    'Mean size of the groups, drawn at random, into which the cohort is cut; without it all are one.',
  'aggregation.bits': 'Bits of one value of an update.',
  'aggregation.rotation':
    'Updates are rotated before they are rounded, so that few bits do (Suresh et al. 2017, section 3).',
  'aggregation.ring':
    'Bits that a masked word has beyond `bits`: log2 of the group’s size, or with `half` about half of it, which takes a rotation.',
  'aggregation.clipNorm': 'An update is scaled down to this L2 norm.',
  'aggregation.clipRange': 'One value of an update, with rotation of a rotated one, is cut off at this, either sign.',
  'aggregation.weightCap': 'A participant’s examples count at most this much.',
  'aggregation.deadlines': 'How long each step of a round is waited for.',
  'aggregation.deadlines.advertMs': 'Keys, once the minimum is there.',
  'aggregation.deadlines.shareMs': 'Shares of the secrets that unmask a sum.',
  'aggregation.deadlines.trainMs': 'Training and the masked update’s way, together.',
  'aggregation.deadlines.consistencyMs': 'Signatures over the survivors.',
  'aggregation.deadlines.unmaskMs': 'Shares that unmask the sum.',
  'aggregation.deadlines.confirmMs': 'Signatures over the result.',
  security: 'Whom the masks hold against, and who may take part.',
  'security.mode':
    '`active` holds against a coordinator that cheats, and needs more than two thirds of a group to stay; the other trusts it to follow the rules, and needs more than half.',
  'security.admission': 'Anyone, whoever has the link, or only people whom the plan names.',
  'security.names': 'People who can be told by name; with the admission `named` nobody else takes part.',
  'security.names[].name': 'How they are called.',
  'security.names[].key': 'Their public Ed25519 key, which Home shows.',
  evaluation: 'How the model is judged.',
  'evaluation.validationFraction': 'Part of a participant’s training data that is kept aside and measured only.',
  'evaluation.metric':
    'What the model is judged by; without it `accuracy` for classes, `mae` for values, `perplexity` for tokens.',
  'evaluation.positiveClass': 'The class whose F1 is taken; without it F1 is the mean over the classes.',
  'evaluation.earlyStopping':
    'Training ends, with a last round that measures, once the metric on the federated validation data stands still.',
  'evaluation.earlyStopping.patienceRounds':
    'For so many rounds in a row, none of which was better than the best before.',
  'evaluation.earlyStopping.minimumChange': 'A round must be better by more than this, in the metric’s own unit.',
  seed: 'The first model, shards and the order of batches follow from it.',
};

/** Of sums over the participants' samples, so that one with many samples counts more. */
export const METRIC_MEANING: Readonly<Record<MetricName, string>> = {
  accuracy:
    'Right predictions among all: those whose largest output is that of the class, or of the token, that is there.',
  f1: 'Of one class 2 · hits / (samples of the class + samples taken for it). Of `evaluation.positiveClass`, else the mean over the classes that occur. For up to 32 classes.',
  mae: 'Mean absolute error, in the target’s own unit. One error counts at most 2^20 of the unit that is trained in.',
  r2: '1 − sum of squared errors / sum of squared deviations from the mean target: 1 is perfect, 0 is what the mean itself reaches.',
  perplexity: 'exp of the mean loss: among how many equally likely tokens the model is left in doubt.',
  loss: 'The mean of the model’s loss over the predictions; of one sample at most the bound that the secure sum has for it.',
};
