/** The model card: what a model is, whom it came from and what it was measured at, as Markdown for people. */
import type { FederationId, Hash } from '../core/ids.ts';
import { planLayout } from '../core/planLayout.ts';
import { classesOfTask, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import type { MeasuredPoint } from '../core/runView.ts';

/** Whose model it is, and after how much training. */
export interface ModelOrigin {
  readonly planHash: Hash | undefined;
  readonly federation: FederationId | undefined;
  readonly modelHash: Hash | undefined;
  /** Hash of the last record. */
  readonly ledgerHead: Hash | undefined;
  /** Completed training rounds. */
  readonly rounds: number;
}

/** What people keep to themselves has none that others could use it by. */
export const PRIVATE_LICENCE = 'none: private data of the participants';

/** Of what follows from plan and ledger alone, so that everyone who has both writes the same bytes. */
export function modelCard(plan: Plan, origin: ModelOrigin, curve: readonly MeasuredPoint[]): string {
  const sections = [
    [`# ${plain(plan.name)}`, plain(plan.description)],
    ['## What it is', facts(whatItIs(plan, origin))],
    ['## Data', facts(whatData(plan, curve))],
    ['## How it was trained', facts(howTrained(plan, curve))],
    ['## Figures by round', figures(curve)],
    ['## Who saw what', whoSaw(plan, curve)],
    ['## Hashes', facts(hashes(origin))],
    ['## How to check it', CHECKING],
    ['## How to use it', USING],
  ];
  return `${sections.flat().join('\n\n')}\n`;
}

type Fact = readonly [string, string];

function whatItIs(plan: Plan, { rounds }: ModelOrigin): readonly Fact[] {
  const classes = classesOfTask(plan);
  const { model, task } = plan;
  return [
    ['Architecture', model.architecture],
    ['Parameters', String(planLayout(plan).length)],
    ['Task', task.kind],
    ...(classes.length > 0 ? [['Classes', listed(classes)] as const] : []),
    ['Rounds of training', `${rounds} of ${plan.aggregation.rounds}`],
    ['Began with', plan.start ? `the model with SHA-256 \`${plan.start.modelHash}\`` : 'what the plan’s seed gives'],
    ['Licence', plain(plan.licence)],
  ];
}

function whatData({ data, evaluation }: Plan, curve: readonly MeasuredPoint[]): readonly Fact[] {
  const measured = curve.at(-1)?.samples ?? 0;
  const aside = `${evaluation.validationFraction} of each participant’s, for validation`;
  const test: readonly Fact[] = measured > 0 ? [['Held out', `${measured} samples, counted once a participant`]] : [];
  if (data.kind === 'private') {
    return [
      ['Kind', `${data.schema.kind}, everybody’s own; it stayed with them`],
      ['Licence', PRIVATE_LICENCE],
      ['Kept aside', aside],
      ...test,
    ];
  }
  return [
    ['Name', plain(data.name)],
    ['Licence', plain(data.licence)],
    ['SHA-256', `\`${data.sha256}\``],
    ['Shards', `${data.shards}, split ${data.split.kind}`],
    ['Kept aside', aside],
    ...test,
  ];
}

function howTrained({ training, aggregation }: Plan, curve: readonly MeasuredPoint[]): readonly Fact[] {
  const { optimizer, learningRate, epochs, batchSize } = training;
  return [
    ['Method', `federated averaging (${aggregation.server}), ${aggregation.bits} bits a value`],
    ['People in a round', range(curve)],
    ['In each round, each', `${epochs} epochs in batches of ${batchSize}, ${optimizer.kind} at ${learningRate}`],
    ['Bound of an update', `L2 norm ${aggregation.clipNorm}`],
  ];
}

/** Columns of what was measured; one that nobody measured is left out. */
function figures(curve: readonly MeasuredPoint[]): string {
  if (curve.length === 0) return 'None was measured yet.';
  const names = [...new Set(curve.flatMap((point) => Object.keys(point)))].filter(
    (name) =>
      name !== 'round' && !twice(name, curve) && curve.some((point) => typeof valueOf(point, name) === 'number'),
  );
  const metric = curve[0]?.metric ?? '';
  const head = ['after round', ...names.map((name) => spaced(name).replace('metric', metric))];
  const rows = curve.map((point) => [point.round, ...names.map((name) => valueOf(point, name))].map(shown));
  const lines = [head, head.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const about =
    'Sums over the people of a round, each measured by itself. Training loss is that of the training that followed.';
  return `${lines.join('\n')}\n\n${about}`;
}

/** Accuracy and loss have columns of their own, whatever the plan is judged by. */
function twice(name: string, [first]: readonly MeasuredPoint[]): boolean {
  return name.endsWith('Metric') && (first?.metric === 'accuracy' || first?.metric === 'loss');
}

function valueOf(point: MeasuredPoint, name: string): unknown {
  return point[name as keyof MeasuredPoint];
}

function shown(value: unknown): string {
  if (typeof value !== 'number') return '';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

/** "testAccuracy" as "test accuracy". */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function whoSaw({ security, aggregation }: Plan, curve: readonly MeasuredPoint[]): string {
  const people = peopleOf(curve);
  const least = people.length > 0 ? Math.min(...people) : aggregation.cohort.minimum;
  const group = Math.min(least, aggregation.groupSize ?? least);
  const against =
    security.mode === 'active'
      ? 'a coordinator that breaks the rules'
      : 'a coordinator that follows the rules and is curious';
  return [
    facts([
      ['Security mode', `${security.mode}: holds against ${against}`],
      ['Threshold', `${threshold(security.mode, group)} of ${group} people must stay for a sum to be unmasked`],
      ['Admission', security.admission],
    ]),
    '',
    'Updates were masked and added up; the coordinator saw sums of a round’s people, never one person’s update. No noise was',
    'added, so there is no differential privacy: the model and the sums can still tell about rare rows. People who join',
    'together with the coordinator can take their own updates off a sum.',
  ].join('\n');
}

function hashes({ planHash, federation, modelHash, ledgerHead }: ModelOrigin): readonly Fact[] {
  return [
    ['Model', code(modelHash)],
    ['Plan', code(planHash)],
    ['Head of the ledger', code(ledgerHead)],
    ['Federation', code(federation)],
  ];
}

const CHECKING = `The hash of the model is the SHA-256 of weights.bin, and of the tensors in model.safetensors. With plan.json, ledger.jsonl and
metrics.jsonl of the run beside it, \`npm run verify -- FOLDER\` of hushgrad computes every hash and signature anew.`;

const USING = `\`tf.loadLayersModel\` of TensorFlow.js reads model.json with weights.bin; \`safetensors.numpy.load_file\` and other readers of
the format read model.safetensors. A new federation can begin with it: “Begin with a saved model” on the Launch screen.`;

function facts(of: readonly Fact[]): string {
  return of.map(([name, value]) => `- ${name}: ${value}`).join('\n');
}

function code(hash: string | undefined): string {
  return hash === undefined ? 'not known' : `\`${hash}\``;
}

function listed(names: readonly string[]): string {
  const first = names.slice(0, 20).map(plain).join(', ');
  return names.length > 20 ? `${first} and ${names.length - 20} more` : first;
}

function peopleOf(curve: readonly MeasuredPoint[]): readonly number[] {
  return curve.map(({ people }) => people);
}

function range(curve: readonly MeasuredPoint[]): string {
  const people = peopleOf(curve);
  if (people.length === 0) return 'none yet';
  const [least, most] = [Math.min(...people), Math.max(...people)];
  return least === most ? String(least) : `${least} to ${most}`;
}

/** A person's words on one line, with nothing that Markdown or HTML would take for more than words. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]<>#|]/g, (sign) => `\\${sign}`);
}
