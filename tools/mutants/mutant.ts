/**
 * One defence taken out, and the tests of the attack that must fail without it. They are in the text files beside this one,
 * one for each attack, apart from each other by empty lines:
 *
 *     what is taken out, a sentence
 *       file of tests below test/, without its ending: a part of the names of the tests that are run
 *     @ file below src/, without its ending
 *     - what is there, exactly once; more lines where it goes over more
 *     + what is put in its place; nothing where there is none
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HushError } from '../../src/core/errors.ts';
import { ROOT } from '../command.ts';

export interface Edit {
  /** Below the project's folder. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly attack: Attack;
  readonly edits: readonly Edit[];
  /** Below the project's folder. */
  readonly tests: string;
  /** A part of the names of the tests that are run; all of the file when undefined. */
  readonly only: string | undefined;
}

/** The rows of PROTOCOL.md's table of attacks, and after them those that THREAT_MODEL.md has beside them. */
export const ATTACKS = {
  'survivor-and-dropout': 'one id as survivor and as dropout; a dropout list sent',
  'different-views': 'different survivor sets, rosters or SumSpecs shown to different participants',
  'different-models': 'different models sent to different participants',
  'different-sums': 'different sums sent to different participants',
  'late-masked-update': 'dropout declared first, masked input delivered after',
  'spent-round': 'spent round rerun with one member fewer',
  'replayed-round': 'replayed or rolled-back round',
  adverts: 'advert unadmitted, duplicated, of small order; threshold or cohort below the rule',
  'tampered-shares': 'a share, salt, proof or commitment tampered with, by dealer, holder or relay',
  wire: 'oversized, truncated, reordered, duplicated, unknown, unsigned message',
  'mask-words': 'mask words repeating within a vector or across rounds, pairs, kinds',
  bindings: 'signed for one federation, plan or round, used in another',
  ledger: 'a ledger that says of a round what was not',
  groups: 'groups drawn otherwise than by everyone',
  names: 'somebody in the name of somebody else',
} as const;

export type Attack = keyof typeof ATTACKS;

/** @throws HushError `mutants/text` where a file does not have the form above. */
export async function readMutants(): Promise<readonly Mutant[]> {
  const attacks = Object.keys(ATTACKS) as Attack[];
  const lists = await Promise.all(
    attacks.map(async (attack) => {
      const text = await readFile(join(ROOT, 'tools', 'mutants', `${attack}.txt`), 'utf8');
      return text
        .trimEnd()
        .split(/\n{2,}/)
        .map((block) => mutantOf(attack, block));
    }),
  );
  return lists.flat();
}

function mutantOf(attack: Attack, block: string): Mutant {
  const [name = '', test = '', ...rest] = block.split('\n');
  const [, file, only] = /^ {2}([\w/-]+)(?:: (.+))?$/.exec(test) ?? [];
  const edits = rest
    .join('\n')
    .split(/^@ /m)
    .slice(1)
    .map((edit): Edit => {
      const [path = '', ...lines] = edit.trimEnd().split('\n');
      const marked = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
      return { file: `src/${path}.ts`, find: marked('- ').join('\n'), replace: marked('+ ').join('\n') };
    });
  if (file === undefined || edits.length === 0 || edits.some(({ find }) => find === '')) {
    throw new HushError('mutants/text', `The mutant "${name}" in ${attack}.txt is not written as it should be.`);
  }
  return { name, attack, edits, tests: `test/${file}.test.ts`, only };
}
