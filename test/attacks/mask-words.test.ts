/** Mask words repeating within a vector or across rounds, pairs and kinds: over whole federations none do. */
import { afterEach, describe, expect, test } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { keystreamWords } from '../../src/crypto/prg.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { planDocument } from '../support/planDocument.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

const BLOCK_WORDS = 16;

/** All seeds that were expanded, by round and holder, once everyone has finished. */
async function seedsOf(plan: object, people: number): Promise<Map<string, readonly string[]>> {
  stage = await Stage.open(plan);
  await stage.joinAll(people);
  await stage.finished();
  const seeds = new Map<string, readonly string[]>();
  for (const { id, trainer } of stage.actors) {
    for (const [round, list] of trainer.seeds)
      seeds.set(
        `${round} ${id}`,
        list.map(({ seed }) => toHex(seed)),
      );
  }
  return seeds;
}

function expectAllDifferent(seeds: ReadonlyMap<string, readonly string[]>, people: number): Set<string> {
  const held = new Map<string, string[]>();
  for (const [place, list] of seeds) {
    expect(list).toHaveLength(people);
    for (const seed of list) held.set(seed, [...(held.get(seed) ?? []), place]);
  }
  for (const [, places] of held) {
    // A seed belongs to one person or one pair, in one round.
    const rounds = new Set(places.map((place) => place.split(' ')[0]));
    expect(rounds.size).toBe(1);
    expect(places.length).toBeLessThanOrEqual(2);
    expect(new Set(places).size).toBe(places.length);
  }
  const rounds = seeds.size / people;
  expect(held.size).toBe(rounds * (people + (people * (people - 1)) / 2));
  return new Set(held.keys());
}

describe('over a federation of three training rounds and the one that measures', () => {
  test('every seed is that of one person or one pair in one round, and no block of any stream comes twice', async () => {
    const seeds = await seedsOf(planDocument({ people: 5, rounds: 3 }), 5);
    expect(seeds.size).toBe(4 * 5);
    const distinct = expectAllDifferent(seeds, 5);
    const words = Math.max(...stage.actors.map(({ trainer }) => trainer.vectors.get(1)!.length));
    const blocks = new Set<string>();
    let count = 0;
    for (const seed of distinct) {
      const stream = keystreamWords(
        Uint8Array.from(Buffer.from(seed, 'hex')),
        Math.ceil(words / BLOCK_WORDS) * BLOCK_WORDS,
      );
      for (let at = 0; at < stream.length; at += BLOCK_WORDS, count++)
        blocks.add(stream.subarray(at, at + BLOCK_WORDS).join());
    }
    expect(blocks.size).toBe(count);
    expect(count).toBeGreaterThan(200);
  });

  test('what lies over a vector is never the same twice: not within it, nor over two people or rounds', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 3 }));
    await stage.joinAll(5);
    await stage.finished();
    const blocks = new Set<string>();
    let count = 0;
    for (const { trainer, participant } of stage.actors) {
      for (const { round, body } of participant.journal.saidOf('masked')) {
        const vector = trainer.vectors.get(round)!;
        // 12 bits of the plan, and 3 for the sum of five.
        const masked = unpackWords(body.packed, vector.length, 15);
        const over = masked.map((word, i) => (word - vector[i]!) & 0x7fff);
        for (let at = 0; at + BLOCK_WORDS <= over.length; at += BLOCK_WORDS, count++) {
          blocks.add(over.subarray(at, at + BLOCK_WORDS).join());
        }
      }
    }
    expect(count).toBeGreaterThan(5 * 3 * 3);
    expect(blocks.size).toBe(count);
  });

  test('a round that is given up after masking shares no seed with the next one, though people and model are the same', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    stage.coordinator.lies = [
      (message, to) =>
        message.type === 'survivors' && message.round === 1
          ? [[{ ...message, body: { survivors: [] } }, to]]
          : [[message, to]],
    ];
    await stage.joinAll(4);
    await stage.finished();
    const models = stage.coordinator.journal
      .saidOf('begin')
      .filter(({ body }) => body.kind === 'train')
      .map(({ body }) => body.modelHash);
    expect(new Set(models).size).toBe(1);
    const rounds = stage.actors.map(({ trainer }) => trainer.seeds);
    expect(rounds.every((map) => map.has(1) && map.size === 3)).toBe(true);
    const seeds = new Map(
      stage.actors.flatMap(({ id, trainer }) =>
        [...trainer.seeds].map(([round, list]) => [`${round} ${id}`, list.map(({ seed }) => toHex(seed))] as const),
      ),
    );
    expectAllDifferent(seeds, 4);
  });

  test('two federations of the same plan and the same people share none', async () => {
    const plan = planDocument({ people: 3, rounds: 1 });
    const first = await seedsOf(plan, 3);
    const before = new Set([...first.values()].flat());
    stage.close();
    const second = await seedsOf(plan, 3);
    for (const seed of [...second.values()].flat()) expect(before.has(seed)).toBe(false);
  });
});

test('within one vector no stretch of the stream comes again: one stream over all of it, whatever its length', () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
  const words = keystreamWords(seed, 2 ** 20);
  // Pairs of neighbours, 64 bits each: among 2^20 random ones a repetition has a chance of about 2^-25.
  const pairs = new Set<bigint>();
  for (let i = 0; i + 1 < words.length; i++) pairs.add((BigInt(words[i]!) << 32n) | BigInt(words[i + 1]!));
  expect(pairs.size).toBe(words.length - 1);
});
