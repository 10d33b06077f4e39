/** The plan: one JSON document that says what is trained, by whom, on what, and under which rules. */
import { expectedDataSchema } from './dataSchema.ts';
import { HushError } from './errors.ts';
import type { Hash } from './ids.ts';
import { METRIC_NAMES } from './metrics.ts';
import { modelSpecSchema } from './modelSpec.ts';
import { checkEvaluation, checkFit } from './planFit.ts';
import { checkStatistics } from './planStatistics.ts';
import type { Decoded } from './schema.ts';
import { finite, integer, list, parseDocument, text, v } from './schema.ts';

/** A plan larger than this is refused before it is parsed. */
export const MAX_PLAN_BYTES = 256 * 1024;

/** At most this many participants in one complete graph, so that shares lie in GF(256). */
export const MAX_GROUP = 255;

/** At most this many participants in one round of a plan with groups. */
export const MAX_COHORT = 100_000;

/** Groups are drawn at random: with this size on average, four standard deviations more still fit MAX_GROUP. */
const MAX_GROUP_SIZE = 200;

/** With fewer bits what rounding adds to a sum already fills the smaller ring, and its limbs would have none left. */
const MIN_HALF_RING_BITS = 4;

const HEX_64 = '64 lower-case hexadecimal digits';

const splitSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('iid') }),
    /** Sort by label, cut into `labelsPerShard · shards` runs, deal them out (McMahan et al. 2017, section 3). */
    v.strictObject({ kind: v.literal('label'), labelsPerShard: integer(1, 100) }),
    /** Label proportions of a shard drawn from Dirichlet(alpha) (Hsu et al. 2019, section 3). */
    v.strictObject({ kind: v.literal('dirichlet'), alpha: finite(0.001, 1000) }),
    /** The data set's own parts: shard i is what its client i has, such as the penguins of one island. */
    v.strictObject({ kind: v.literal('natural') }),
  ],
  'one of iid, label, dirichlet, natural',
);

/** What is trained for: a class of each example, a value of each, or the next token of a text. */
const taskSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('classification'), classes: list(text(200), 65_536) }),
    v.strictObject({ kind: v.literal('regression') }),
    v.strictObject({ kind: v.literal('next-token') }),
  ],
  'one of classification, regression, next-token',
);

const dataSchema = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('public'),
      name: text(80),
      /** Of the data set's content as the server serves it, uncompressed; with `schema` of the index of its files. */
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, HEX_64)),
      licence: text(200),
      shards: integer(1, 10_000),
      split: splitSchema,
      /** How tables and text become examples, as for people's own files; without it the data are images. */
      schema: v.optional(expectedDataSchema),
    }),
    /** Everybody's own files, which must be of this kind and shape; they stay in each tab. */
    v.strictObject({ kind: v.literal('private'), schema: expectedDataSchema }),
  ],
  'one of public, private',
);

const optimizerSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('sgd') }),
    v.strictObject({ kind: v.literal('momentum'), momentum: finite(0, 1) }),
    v.strictObject({ kind: v.literal('adam') }),
    /** Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2). */
    v.strictObject({ kind: v.literal('adamw'), weightDecay: finite(0, 1) }),
  ],
  'one of sgd, momentum, adam, adamw',
);

const trainingSchema = v.strictObject({
  optimizer: optimizerSchema,
  learningRate: finite(1e-9, 100),
  batchSize: integer(1, 65_536),
  epochs: integer(1, 1000),
  /** Weight of the proximal term (Li et al. 2020, FedProx); 0 leaves it out. */
  fedProxMu: v.optional(finite(0, 100), 0),
  /** A batch's gradient is scaled down to this L2 norm (Pascanu et al. 2013, algorithm 1); without it, left as it is. */
  maxGradientNorm: v.optional(finite(1e-6, 1e6)),
  /** Names of layers, as their parameters' names begin: neither trained nor sent, they stay as the first model has them. */
  frozen: v.optional(list(text(200), 1000)),
  /**
   * `oversample`: in a participant's training part, examples of rarer classes come several times, each class as often as
   * the geometric mean of its number and that of the most frequent one. The weight in the average stays the number of
   * examples that there are. Without it `none`.
   */
  balance: v.optional(v.picklist(['none', 'oversample'], 'one of none, oversample')),
});

const statisticsSchema = v.strictObject({
  /** The network's input is normalised by the means and variances that were found; they become part of the model. */
  normalise: v.boolean('true or false'),
  /** What one person's data has fewer of, of a hashed category or a token, is counted as none. */
  minimumSupport: integer(1, 1_000_000),
});

const deadlinesSchema = v.strictObject({
  /** How long adverts of a round are waited for once the minimum is there. */
  advertMs: integer(100, 3_600_000),
  shareMs: integer(100, 3_600_000),
  /** Training and the masked update's way, together. */
  trainMs: integer(100, 86_400_000),
  consistencyMs: integer(100, 3_600_000),
  unmaskMs: integer(100, 3_600_000),
  confirmMs: integer(100, 3_600_000),
});

const aggregationSchema = v.strictObject({
  server: v.literal('fedavg', 'fedavg'),
  serverLearningRate: v.optional(finite(1e-6, 10), 1),
  rounds: integer(1, 100_000),
  cohort: v.strictObject({ minimum: integer(3, MAX_COHORT), target: integer(3, MAX_COHORT) }),
  /** Mean size of the groups into which the cohort is cut; without it all are one group, of at most MAX_GROUP. */
  groupSize: v.optional(integer(3, MAX_GROUP_SIZE)),
  /** Bits of one quantised value. */
  bits: integer(2, 24),
  /** Rotate the update before it is quantised, so that few bits do (Suresh et al. 2017, section 3). */
  rotation: v.optional(v.boolean('true or false'), false),
  /** Bits that a masked word has beyond those of a value: log2 n, or about half of it. */
  ring: v.optional(v.picklist(['full', 'half'], 'one of full, half'), 'full'),
  /** Bound of an update's L2 norm. */
  clipNorm: finite(1e-6, 1e6),
  /** Bound of one quantised coordinate, either sign; with rotation of a rotated one. */
  clipRange: finite(1e-6, 1e6),
  /** A participant's samples count at most this much. */
  weightCap: integer(1, 1_000_000_000),
  deadlines: deadlinesSchema,
});

export const planSchema = v.strictObject({
  schema: v.literal(1, '1'),
  name: text(80),
  description: text(2000),
  licence: text(80),
  lane: v.literal('sealed', 'sealed'),
  task: taskSchema,
  data: dataSchema,
  model: modelSpecSchema,
  /** With it a first round adds up what the data is like, before anything is trained. */
  statistics: v.optional(statisticsSchema),
  /** The first model is this one, which the coordinator brings, instead of what the seed gives. */
  start: v.optional(v.strictObject({ modelHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, HEX_64)) })),
  training: trainingSchema,
  aggregation: aggregationSchema,
  security: v.strictObject({
    mode: v.picklist(['active', 'honest-but-curious'], 'one of active, honest-but-curious'),
    admission: v.picklist(['anyone', 'link', 'named'], 'one of anyone, link, named'),
    /** People who can be told by name: a public Ed25519 key each. With admission `named`, nobody else takes part. */
    names: v.optional(
      list(v.strictObject({ name: text(80), key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, HEX_64)) }), 10_000),
      [],
    ),
  }),
  evaluation: v.strictObject({
    /** Part of a participant's training data that is kept aside. */
    validationFraction: finite(0, 0.9),
    /** What the model is judged by; without it accuracy, mean absolute error (mae) or perplexity, by the task. */
    metric: v.optional(v.picklist(METRIC_NAMES, `one of ${METRIC_NAMES.join(', ')}`)),
    /** The class whose F1 is taken; without it F1 is the mean over the classes. */
    positiveClass: v.optional(text(200)),
    /**
     * Ends training, with a last round that measures, once the metric on the federated validation data has not got better
     * by more than `minimumChange` for so many rounds.
     */
    earlyStopping: v.optional(v.strictObject({ patienceRounds: integer(1, 100_000), minimumChange: finite(0, 1e9) })),
  }),
  seed: integer(0, 2 ** 32 - 1),
});

export type Plan = Decoded<typeof planSchema>;
export type DataSplit = Decoded<typeof splitSchema>;
export type OptimizerSpec = Decoded<typeof optimizerSchema>;
export type LocalTraining = Decoded<typeof trainingSchema>;
export type SecurityMode = Plan['security']['mode'];
export type Admission = Plan['security']['admission'];

/** A valid plan beside the exact bytes that its hash pins. */
export interface PlanDocument {
  readonly plan: Plan;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @throws HushError `plan/…`, naming the field, the value and what was expected. */
export function parsePlan(bytes: Uint8Array): PlanDocument {
  if (bytes.length > MAX_PLAN_BYTES) {
    throw new HushError('plan/too-large', `The plan has ${bytes.length} bytes, expected at most ${MAX_PLAN_BYTES}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HushError('plan/not-json', `The plan is not valid JSON: ${why}.`, { cause });
  }
  const plan = parseDocument(planSchema, value, 'Plan', 'plan/invalid');
  checkAcrossFields(plan);
  return { plan, bytes: new Uint8Array(bytes) };
}

/** What one field alone cannot tell. */
function checkAcrossFields(plan: Plan): void {
  const wrong = (field: string, got: unknown, expected: string): never => {
    throw new HushError('plan/invalid', `Plan: "${field}" is ${JSON.stringify(got)}, expected ${expected}.`, {
      advice: `Correct "${field}" and try again.`,
    });
  };
  const { cohort, groupSize } = plan.aggregation;
  if (cohort.target < cohort.minimum) {
    wrong('aggregation.cohort.target', cohort.target, `at least the minimum, ${cohort.minimum}`);
  }
  if (groupSize === undefined && cohort.target > MAX_GROUP) {
    wrong('aggregation.cohort.target', cohort.target, `at most ${MAX_GROUP} without aggregation.groupSize`);
  }
  const { bits, rotation, ring } = plan.aggregation;
  // Only a rotation spreads a sum so evenly that a ring smaller than its range can hold it.
  if (ring === 'half' && !rotation) wrong('aggregation.ring', ring, '"full" without aggregation.rotation');
  if (ring === 'half' && bits < MIN_HALF_RING_BITS) {
    wrong('aggregation.bits', bits, `at least ${MIN_HALF_RING_BITS} with "aggregation.ring" "half"`);
  }
  checkFit(plan, wrong);
  checkStatistics(plan, wrong);
  checkEvaluation(plan, wrong);
  const { admission, names } = plan.security;
  if (admission === 'named' && names.length < cohort.target) {
    wrong('security.names', `${names.length} people`, `at least aggregation.cohort.target, ${cohort.target}`);
  }
  for (const field of ['name', 'key'] as const) {
    const seen = new Set<string>();
    names.forEach(({ [field]: value }, i) => {
      if (seen.has(value)) wrong(`security.names.${i}.${field}`, value, 'each once');
      seen.add(value);
    });
  }
}

/** Of the model that the plan begins with; undefined where its seed gives the first one. */
export function startHash({ start }: Plan): Hash | undefined {
  return start?.modelHash as Hash | undefined;
}

/** The names of the classes; none where values or tokens are learnt. */
export function classesOfTask({ task }: Plan): readonly string[] {
  return task.kind === 'classification' ? task.classes : [];
}

/** Shares needed to unmask a round of `n`: floor(2n/3) + 1 against an active coordinator, floor(n/2) + 1 otherwise. */
export function threshold(mode: SecurityMode, n: number): number {
  return (mode === 'active' ? Math.floor((2 * n) / 3) : Math.floor(n / 2)) + 1;
}

/** G: into how many groups `people` are cut. */
export function groupCount(plan: Plan, people: number): number {
  const { groupSize } = plan.aggregation;
  return groupSize === undefined ? 1 : Math.max(1, Math.round(people / groupSize));
}

/**
 * At least this many must be in a group. With groups the cohort's minimum is for all of them together, and a group of
 * less than half its mean size is given up.
 */
export function groupMinimum(plan: Plan): number {
  const { groupSize, cohort } = plan.aggregation;
  const least = groupSize === undefined ? cohort.minimum : Math.min(cohort.minimum, Math.ceil(groupSize / 2));
  return Math.max(3, least);
}
