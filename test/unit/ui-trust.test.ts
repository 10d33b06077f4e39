/** What people are told of trust: whom an update hides among, whom they can name, why something was refused. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunView } from '../../src/core/runView.ts';
import { admissionWords } from '../../src/ui/admissionText.ts';
import { planFacts } from '../../src/ui/planFacts.ts';
import { refusalWords } from '../../src/ui/refusalText.ts';
import { coordinatorCompany, nameList, ownCompany } from '../../src/ui/trustText.ts';
import { coordinating, running } from '../gallery/fixtures.ts';
import { coordinatorStates, participantStates } from '../gallery/fixtureStates.ts';
import { groupedPlan, namedPlan, plan } from '../gallery/fixturePlans.ts';

const plain = (sentences: readonly string[]): readonly string[] =>
  sentences.map((sentence) => sentence.replaceAll('\u00a0', ' '));
const own = (view: RunView): readonly string[] => plain(ownCompany(view));

describe('a participant', () => {
  it('reads among how many its update hides, at least and at most', () => {
    expect(own(running)).toEqual([
      'In this round your update hides among 5 to 7 others. You can name none of them: the plan lists no names.',
      'In the last round it hid among 7 others.',
    ]);
  });

  it('reads whom it can name', () => {
    expect(own(participantStates['named']!)[0]).toBe(
      'In this round your update hides among 5 to 7 others. You can name 7 of them: Ben Okri, Chen Jingrun, Dorothy Vaughan, Emmy Noether, Farida, Grace Hopper and 1 more.',
    );
    const group = { index: 0, of: 1, members: 8, names: [] };
    expect(own({ ...running, plan: namedPlan, group })[0]).toContain('You can name none of them.');
  });

  it('reads which group it was drawn into', () => {
    expect(own(participantStates['grouped']!)).toEqual([
      'In this round your update hides among 11 to 16 others. You can name none of them: the plan lists no names.',
      'You are in group 5 of 12, drawn at random by everyone together; its sum is of 17 people at the most.',
      'In the last round it hid among 14 others.',
    ]);
  });

  it('reads that a coordinator beside it is taken off', () => {
    const told = own({ ...running, knownColluders: 1, anonymitySet: 6 });
    expect(told[0]).toContain('hides among 4 to 6 others');
    expect(told.slice(1)).toEqual([
      'In the last round it hid among 6 others.',
      'The coordinator is in this same browser, and counts as one who sees more than the sum: it is taken off.',
    ]);
  });

  it('reads nothing that is not known yet', () => {
    expect(own(participantStates['waiting']!)).toEqual([]);
    expect(own(participantStates['connecting']!)).toEqual([]);
  });
});

describe('the coordinator', () => {
  it('reads of groups, of the smallest of them, and of names', () => {
    expect(plain(coordinatorCompany(coordinatorStates['grouped']!))).toEqual([
      'This round has 12 groups; 1 lost, without their sum.',
      'In the last round each update hid among at least 11 others.',
    ]);
    expect(plain(coordinatorCompany(coordinatorStates['named']!))).toEqual([
      'In the last round each update hid among 7 others.',
      '8 people in this round can be told by name.',
    ]);
    expect(coordinatorCompany({ ...coordinating, anonymitySet: undefined })).toEqual([]);
  });
});

it('names are listed as a sentence has them', () => {
  expect([nameList([]), nameList(['Ada']), nameList(['Ada', 'Ben']), nameList(['Ada', 'Ben', 'Chen'])]).toEqual([
    '',
    'Ada',
    'Ada and Ben',
    'Ada, Ben and Chen',
  ]);
  expect(nameList(['Ada', 'Ben', 'Chen'], 1)).toBe('Ada and 2 more');
});

it('a plan is said with whom it admits, and in which groups', () => {
  expect((['anyone', 'link', 'named'] as const).map((admission) => admissionWords(admission))).toEqual([
    'anyone',
    'whoever has the link',
    'named people only',
  ]);
  const value = (name: string, of = plan): string | undefined =>
    planFacts(of)
      .find((fact) => fact.name === name)
      ?.value.replaceAll('\u00a0', ' ');
  expect(value('Admission', namedPlan)).toBe('9 named people, nobody else');
  expect(value('Groups')).toBeUndefined();
  expect(value('Groups', groupedPlan)).toBe('of 16 people on average, drawn at random in each round');
  expect(value('Security', groupedPlan)).toContain('of 16, 11 must stay');
});

describe('a refusal', () => {
  it('is told in words', () => {
    expect(refusalWords('codec/signature')).toBe('wrong signature');
    expect(refusalWords('round/unexpected-masked')).toBe('a masked update out of turn');
    expect(refusalWords('frame/too-large')).toBe('a piece of a message: too large');
    expect(refusalWords('strange/new-thing')).toBe('strange: new thing');
    expect(refusalWords('strange')).toBe('strange');
  });

  it('has words of its own wherever a machine counts one', async () => {
    const folder = join(import.meta.dirname, '../../src/federation');
    const sources = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    const codes = sources.flatMap((source) =>
      [...source.matchAll(/(?:refused|countRefusal)\(\s*'([a-z]+\/[a-z-]+)'/g)].map(([, code = '']) => code),
    );
    expect(codes.length).toBeGreaterThan(20);
    // What has none is said as its code is written, with a colon.
    expect([...new Set(codes)].filter((code) => refusalWords(code).includes(':'))).toEqual([]);
  });
});
