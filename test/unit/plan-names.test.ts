/** The plan's list of names: checked across its fields, and changed in a plan's text without touching the rest. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { peopleText, readPeople, securityIn, withSecurity } from '../../src/ui/planText.ts';
import { planDocument } from '../support/planDocument.ts';

const people = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `Person ${i}`, key: String(i).padStart(64, '0') }));

function messageOf(security: object): string {
  try {
    parsePlan(utf8(JSON.stringify({ ...planDocument(), security: { mode: 'active', ...security } })));
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('a plan with names', () => {
  test.each([
    [{ admission: 'named', names: people(4) }, 'accepted'],
    [{ admission: 'link', names: people(1) }, 'accepted'],
    [
      { admission: 'named', names: people(3) },
      'Plan: "security.names" is "3 people", expected at least aggregation.cohort.target, 4.',
    ],
    [{ admission: 'named' }, 'Plan: "security.names" is "0 people", expected at least aggregation.cohort.target, 4.'],
    [
      { admission: 'link', names: [...people(2), { name: 'Person 0', key: 'f'.repeat(64) }] },
      'Plan: "security.names.2.name" is "Person 0", expected each once.',
    ],
    [
      { admission: 'link', names: [...people(2), { name: 'Other', key: '0'.repeat(64) }] },
      `Plan: "security.names.2.key" is "${'0'.repeat(64)}", expected each once.`,
    ],
    [
      { admission: 'link', names: [{ name: 'Ada', key: 'AB' }] },
      'Plan: "security.names.0.key" is "AB", expected 64 lower-case hexadecimal digits.',
    ],
    [{ admission: 'friends' }, 'Plan: "security.admission" is "friends", expected one of anyone, link, named.'],
  ])('%j', (security, message) => {
    expect(messageOf(security)).toBe(message);
  });
});

describe('the text of a plan', () => {
  const text = `{\n  "name": "with \\"security\\": {",\n  "security": {"mode": "active",\n "admission":"link"},\n  "seed": 1\n}\n`;

  test('keeps everything else as it was written', () => {
    expect(withSecurity(text, { admission: 'anyone' })).toBe(
      text.replace('{"mode": "active",\n "admission":"link"}', '{ "mode": "active", "admission": "anyone" }'),
    );
    const named = withSecurity(text, { admission: 'named', names: people(2) }) ?? '';
    expect(named.startsWith(text.slice(0, text.indexOf('{"mode"')))).toBe(true);
    expect(named.endsWith(',\n  "seed": 1\n}\n')).toBe(true);
    expect(JSON.parse(named)).toEqual({
      name: 'with "security": {',
      security: { mode: 'active', admission: 'named', names: people(2) },
      seed: 1,
    });
    expect(securityIn(named)).toEqual({ admission: 'named', names: people(2) });
    expect(withSecurity(named, { admission: 'link', names: [] })).toBe(
      withSecurity(text, { admission: 'link', names: [] }),
    );
  });

  test('is left alone while it is no plan', () => {
    for (const broken of ['', '{', '[]', 'null', '{"security": 1}', '{"security": []}', '{"plan": {"security": {}}}']) {
      expect(securityIn(broken)).toBeUndefined();
      expect(withSecurity(broken, { admission: 'link' })).toBeUndefined();
    }
  });

  test('whatever else is in it, only security changes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 3 }), (others, indent) => {
        const document = { ...others, security: { mode: 'active', admission: 'link' } };
        const changed = withSecurity(JSON.stringify(document, null, indent), { admission: 'named', names: people(1) });
        const { security, ...rest } = JSON.parse(changed ?? '') as Record<string, unknown>;
        expect(security).toEqual({ mode: 'active', admission: 'named', names: people(1) });
        const { security: _before, ...expected } = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
        expect(rest).toEqual(expected);
      }),
    );
  });
});

describe('people one a line', () => {
  test('are read as they are sent', () => {
    const key = 'ab'.repeat(32);
    expect(readPeople(`  Ada Lovelace ${key.toUpperCase()} \n\nBen:\t${key}\nDora, ${key}\nnobody`)).toEqual([
      { name: 'Ada Lovelace', key },
      { name: 'Ben', key },
      { name: 'Dora', key },
      { name: '', key: 'nobody' },
    ]);
  });

  test('are the same when they are read again', () => {
    expect(readPeople(peopleText(people(3)))).toEqual(people(3));
  });
});
