/** A small valid plan as a person writes it, to be changed field by field. */

interface Options {
  readonly rounds?: number;
  readonly people?: number;
  readonly mode?: 'active' | 'honest-but-curious';
  readonly deadlineMs?: number;
}

export function planDocument({ rounds = 2, people = 4, mode = 'active', deadlineMs = 20_000 }: Options = {}) {
  return {
    schema: 1,
    name: 'Three classes',
    description: 'A plan to test rounds with.',
    licence: 'CC0-1.0',
    lane: 'sealed',
    task: { kind: 'classification', classes: ['a', 'b', 'c'] },
    data: {
      kind: 'public',
      name: 'none',
      sha256: '0'.repeat(64),
      licence: 'CC0-1.0',
      shards: 8,
      split: { kind: 'iid' },
    },
    model: { architecture: 'mlp', inputs: 5, hidden: [4], outputs: 3, activation: 'relu' },
    training: { optimizer: { kind: 'sgd' }, learningRate: 0.1, batchSize: 10, epochs: 1 },
    aggregation: {
      server: 'fedavg',
      rounds,
      cohort: { minimum: 3, target: people },
      bits: 12,
      clipNorm: 4,
      clipRange: 0.5,
      weightCap: 200,
      deadlines: {
        advertMs: deadlineMs,
        shareMs: deadlineMs,
        trainMs: deadlineMs,
        consistencyMs: deadlineMs,
        unmaskMs: deadlineMs,
        confirmMs: deadlineMs,
      },
    },
    security: { mode, admission: 'link' },
    evaluation: { validationFraction: 0.1 },
    seed: 7,
  };
}
