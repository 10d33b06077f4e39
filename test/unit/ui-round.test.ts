/** The round's picture: where things stand, how many chords there are, and what it says in words. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMasks, hasSent, peopleOnCircle } from '../../src/ui/personState.ts';
import { MAX_CHORDS, RING_RADIUS, dotRadius, drawnPairs, place } from '../../src/ui/roundGeometry.ts';
import { centre, roundText } from '../../src/ui/roundText.ts';
import { coordinating, people, running } from '../gallery/fixtures.ts';
import { participant } from '../gallery/fixturePlans.ts';
import { coordinatorStates, participantStates } from '../gallery/fixtureStates.ts';

describe('geometry', () => {
  it('draws every pair once up to 40 people, and a bounded, even choice of pairs for more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (size) => {
        const pairs = drawnPairs(size);
        const ends = Array.from({ length: size }, () => 0);
        for (const [i, j] of pairs) {
          expect(i).toBeLessThan(j);
          ends[i]! += 1;
          ends[j]! += 1;
        }
        expect(new Set(pairs.map(String)).size).toBe(pairs.length);
        expect(pairs.length).toBeLessThanOrEqual(Math.max(MAX_CHORDS, size));
        if (size <= 40) expect(pairs).toHaveLength((size * (size - 1)) / 2);
        if (size > 1) expect(Math.min(...ends)).toBeGreaterThan(0);
        expect(Math.max(0, ...ends) - Math.min(...ends, Infinity)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('puts the first on top, everybody on the circle, and keeps neighbours apart', () => {
    expect(place(0, 8).x).toBeCloseTo(0);
    expect(place(0, 8).y).toBeCloseTo(-RING_RADIUS);
    for (const size of [3, 8, 60, 200, 255]) {
      const [a, b] = [place(0, size), place(1, size)];
      expect(Math.hypot(b.x, b.y)).toBeCloseTo(RING_RADIUS);
      expect(2 * dotRadius(size)).toBeLessThan(Math.hypot(a.x - b.x, a.y - b.y));
    }
  });
});

describe('people on the circle', () => {
  it('has you first, then a fixed order, and the round’s roster only', () => {
    const [first, ...rest] = peopleOnCircle(running);
    expect(first?.you).toBe(true);
    const ids = rest.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    const shuffled = peopleOnCircle({ ...running, people: [...running.people].reverse() });
    expect(shuffled).toEqual(peopleOnCircle(running));
    const late = { ...running.people[1]!, id: participant(99), inRound: false };
    expect(peopleOnCircle({ ...running, people: [...running.people, late] })).toHaveLength(8);
  });

  it('counts masks and arrivals by state', () => {
    const all = people(
      [
        'joining',
        'ready',
        'waiting',
        'sharing',
        'training',
        'sending',
        'masked',
        'agreed',
        'unmasked',
        'confirmed',
        'asleep',
        'left',
      ],
      false,
    );
    expect(all.filter(hasMasks).map(({ state }) => state)).toEqual([
      'sharing',
      'training',
      'sending',
      'masked',
      'agreed',
      'unmasked',
      'confirmed',
      'asleep',
    ]);
    expect(all.filter(hasSent).map(({ state }) => state)).toEqual(['masked', 'agreed', 'unmasked', 'confirmed']);
  });
});

describe('in words', () => {
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

  it('matches the state', () => {
    const { summary, lines } = roundText(coordinating);
    expect(plain(summary)).toBe(
      'Round 12, step “masked”: 5 of 8 masked updates have arrived, 6 are needed. 21 pairwise masks, 10 of them with both ends sent.',
    );
    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => line.endsWith(': left'))).toHaveLength(1);
    expect(lines.some((line) => plain(line).endsWith('sending, 64 %'))).toBe(true);
  });

  it('says when the sum is unmasked, when nothing has begun and when all is done', () => {
    expect(roundText(participantStates['unmasked']!).summary).toBe(
      'Round 12: the sum of 7 of 8 masked updates is unmasked.',
    );
    expect(roundText(coordinatorStates['waiting']!).summary).toBe('No round yet. 5 of 8 people are here.');
    expect(roundText(participantStates['finished']!).summary).toBe('All 30 rounds are done.');
    expect(centre(participantStates['unmasked']!)).toEqual({ figure: '7 / 8', label: 'summed' });
    expect(centre(participantStates['finished']!)).toEqual({ figure: '30 / 30', label: 'rounds' });
    expect(centre(coordinatorStates['waiting']!)).toEqual({ figure: '5 / 8', label: 'here' });
  });

  it('counts by state where there are too many to name', () => {
    const { lines } = roundText(coordinatorStates['many']!);
    expect(lines).toHaveLength(4);
    expect(lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)).toBe(200);
  });
});
