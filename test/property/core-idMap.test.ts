/** IdMap against a plain Map: the same entries after any changes, and no earlier map changed by a later one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdMap } from '../../src/core/idMap.ts';

const key = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)), maxLength: 4 }),
  fc.constantFrom('channel 0', 'channel 12', 'a', ''),
);
const change = fc.oneof(fc.record({ set: key, value: fc.nat() }), fc.record({ delete: key }));

function sorted<Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...entries].toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
}

test('holds what a Map holds, and keeps what it held', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const plain = new Map<string, number>();
      let map = IdMap.empty<string, number>();
      for (const one of changes) {
        const before = map;
        const kept = sorted(before);
        if ('set' in one) {
          plain.set(one.set, one.value);
          map = map.set(one.set, one.value);
        } else {
          plain.delete(one.delete);
          map = map.delete(one.delete);
        }
        expect(sorted(before)).toEqual(kept);
        expect(map.size).toBe(plain.size);
      }
      expect(sorted(map)).toEqual(sorted(plain));
      expect(sorted(IdMap.of(plain))).toEqual(sorted(plain));
      expect(map.keys().toSorted()).toEqual([...plain.keys()].toSorted());
      expect(sorted(map.values().map((value) => [String(value), 0]))).toEqual(
        sorted([...plain.values()].map((value) => [String(value), 0])),
      );
      for (const [name, value] of plain) expect([map.has(name), map.get(name)]).toEqual([true, value]);
    }),
  );
});
