/** The work of a participant: cryptography here, training in the worker behind the Trainer port. */
import { bytesToFloat32, ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { ParticipantId, PublicKey, RoundNumber } from '../core/ids.ts';
import type { HashedModel, Trainer } from '../core/localWork.ts';
import { planLayout } from '../core/planLayout.ts';
import { parsePlan, startHash } from '../core/plan.ts';
import type { Admission, Plan } from '../core/plan.ts';
import type { Locks, Random, Store } from '../core/ports.ts';
import { sumSpecFor } from '../core/sumSpec.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { hashOf } from '../crypto/hash.ts';
import type { Identity } from '../crypto/identity.ts';
import { verifySignature } from '../crypto/identity.ts';
import { countSigned } from './countSigned.ts';
import { confirmationOf } from './confirmation.ts';
import { checkCohort, checkGroup } from './groups.ts';
import { decodeLedger, emptyHead, extendHead } from './ledger.ts';
import { checkAscending, u1RootOf } from './memberSets.ts';
import { curveOf } from './measured.ts';
import { helloCredential } from './meeting.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { Binding } from './messages.ts';
import type { Known, ParticipantTasks } from './participantState.ts';
import { figuresHashOf, recordHash, sheetHashOf } from './record.ts';
import type { LedgerRecord } from './record.ts';
import { checkAdverts, cohortOf, rosterOf } from './roster.ts';
import { RoundKeys } from './roundKeys.ts';
import { confirmationStatement, consistencyStatement, dealingStatement } from './statements.ts';
import { sumSpecHashOf } from './sumSpecHash.ts';
import { trainingSeed } from './trainingSeed.ts';

export interface ParticipantWorkOptions {
  readonly identity: Identity;
  /** By which this participant is told where the plan lists it. */
  readonly named?: Identity | undefined;
  readonly binding: Binding;
  readonly coordinatorKey: PublicKey;
  readonly secret: Bytes;
  /** As the link says. */
  readonly admission: Admission;
  readonly trainer: Trainer;
  readonly store: Store;
  readonly locks: Locks;
  readonly random: Random;
}

type Work = {
  readonly [Name in keyof ParticipantTasks]: (
    input: ParticipantTasks[Name]['input'],
    round: RoundNumber,
  ) => Promise<ParticipantTasks[Name]['output']>;
};

/** Where the highest round joined is kept, so that no reload lets an old one be run again. */
export function guardKey(binding: Binding, coordinatorKey: PublicKey, own: string): string {
  return `guard/${binding.federation}/${coordinatorKey}/${own}`;
}

export class ParticipantWork implements Work {
  readonly #options: ParticipantWorkOptions;
  readonly #keys = new Map<RoundNumber, RoundKeys>();
  #initial: Promise<HashedModel> | undefined;
  /** The model that this participant stands at; kept so that it can be saved, and given to a new worker. */
  model: HashedModel | undefined;
  /** The plan as it came, once its hash was found to be the link's. */
  planBytes: Bytes | undefined;

  constructor(options: ParticipantWorkOptions) {
    this.#options = options;
  }

  wipe(round: RoundNumber): void {
    this.#keys.get(round)?.wipe();
    this.#keys.delete(round);
  }

  wipeAll(): void {
    for (const round of this.#keys.keys()) this.wipe(round);
  }

  greet: Work['greet'] = async (challenge) => {
    const { identity, named, admission, random, secret } = this.#options;
    const ownNonce = [...random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return {
      versions: [PROTOCOL_VERSION],
      publicKey: identity.publicKey,
      nonce: challenge.nonce,
      ownNonce,
      credential: helloCredential(secret, challenge.nonce, identity.publicKey),
      ...(admission === 'named' && named && { named: named.publicKey }),
    };
  };

  readPlan: Work['readPlan'] = async (content) => {
    const { binding } = this.#options;
    const served = hashOf(content);
    if (served !== binding.planHash) {
      throw new HushError(
        'plan/other',
        `The coordinator serves another plan: its hash is ${served}, the link says ${binding.planHash}.`,
        {
          advice: 'Do not join; ask whoever sent the link.',
        },
      );
    }
    const { plan } = parsePlan(content);
    const { admission } = this.#options;
    if (plan.security.admission !== admission) {
      const got = plan.security.admission;
      throw new HushError(
        'plan/admission',
        `The plan admits "${got}", the link that was agreed to says "${admission}".`,
        {
          advice: 'Do not join; ask whoever sent the link.',
        },
      );
    }
    this.planBytes = ownBytes(content);
    return plan;
  };

  readLedger: Work['readLedger'] = async ({ content, head, plan, verified, history }) => {
    const context = { ...this.#options, plan };
    const records = content === undefined ? [] : decodeLedger(content);
    const hashes = records.map(({ body }) => recordHash(body));
    const goesOn = verified !== undefined && history.every((hash, i) => hash === hashes[i]);
    const isBeginning = hashes.every((hash, i) => hash === history[i]);
    if (verified !== undefined && !goesOn && !isBeginning) {
      throw new HushError('ledger/rewritten', 'The coordinator shows another history than the one verified before.', {
        advice: 'Do not go on; ask whoever runs this federation.',
      });
    }
    // What was verified before is not verified again.
    let reached = goesOn
      ? verified
      : emptyHead(context.binding, context.coordinatorKey, startHash(plan) ?? (await this.#initialOf(plan)).hash);
    for (const record of records.slice(reached.records)) reached = await extendHead(context, reached, record);
    if (reached.recordHash !== head) {
      throw new HushError('ledger/head', `The ledger ends in ${reached.recordHash}, expected ${head}.`);
    }
    const curve = records.flatMap((record) => curveOf(record, plan));
    return { head: reached, history: hashes, curve };
  };

  #initialOf(plan: Plan): Promise<HashedModel> {
    const initial = (this.#initial ??= this.#options.trainer.initialModel(plan));
    initial.catch(() => {
      // A worker that died is no reason for the next one not to be asked.
      if (this.#initial === initial) this.#initial = undefined;
    });
    return initial;
  }

  loadModel: Work['loadModel'] = async ({ content, modelHash, plan }) => {
    const { length } = planLayout(plan);
    if (content !== undefined && content.length !== 4 * length) {
      throw new HushError('model/length', `The model has ${content.length} bytes, expected ${4 * length}.`);
    }
    const parameters =
      content === undefined ? (await this.#initialOf(plan)).parameters : (bytesToFloat32(content) as ModelParameters);
    const hash = await this.#options.trainer.load(parameters);
    if (hash !== modelHash) throw new HushError('model/hash', `The model's hash is ${hash}, expected ${modelHash}.`);
    this.model = { parameters, hash };
    return hash;
  };

  prepare: Work['prepare'] = async (task) => {
    const { trainer } = this.#options;
    const info = await trainer.open(task);
    return { info, choice: await trainer.chooseEngine() };
  };

  measure: Work['measure'] = () => this.#options.trainer.chooseEngine({ anew: true });

  advert: Work['advert'] = async (plan, round) => {
    const { identity, named, binding, secret, random } = this.#options;
    const keys = await RoundKeys.create({ identity, named, binding, plan, secret, round, random });
    this.#keys.set(round, keys);
    return keys.advert();
  };

  reveal: Work['reveal'] = async ({ plan, cohort }, round) => {
    const keys = this.#keysOf(round);
    checkCohort(plan, await keys.advert(), cohort);
    return { randomness: keys.reveal() };
  };

  checkRoster: Work['checkRoster'] = async ({ plan, roster, drawn }, round) => {
    const { binding, secret, identity } = this.#options;
    const keys = this.#keysOf(round);
    const own = roster.adverts.filter((advert) => keys.owns(advert));
    if (own.length !== 1)
      throw new HushError('roster/own', 'The own advert is missing from the roster or was changed.');
    const adverts = await checkAdverts({ binding, plan, secret, round }, roster.adverts);
    if (drawn === undefined) return rosterOf(plan, round, cohortOf(plan, round, adverts));
    const { places = [] } = roster;
    return checkGroup({ plan, round, own: identity.id, randomness: keys.reveal(), ...drawn, adverts, places });
  };

  deal: Work['deal'] = async (roster) => {
    const { identity, binding, coordinatorKey, store, locks } = this.#options;
    const key = guardKey(binding, coordinatorKey, identity.id);
    await locks.exclusive(key, async () => {
      const before = (await store.get<number>(key)) ?? 0;
      if (roster.round <= before) throw new HushError('round/replayed', `Round ${roster.round} after round ${before}.`);
      await store.set(key, roster.round);
    });
    return this.#keysOf(roster.round).deal(roster);
  };

  open: Work['open'] = async ({ roster, delivery }, round) => {
    const { binding } = this.#options;
    const keys = new Map(roster.members.map((member) => [member.id, member.publicKey]));
    await Promise.all(
      delivery.dealings.map(async ([dealer, shareRoot, seedCommitment, signature]) => {
        const key = keys.get(dealer);
        const statement = dealingStatement(binding, round, roster.rosterRoot, { dealer, shareRoot, seedCommitment });
        if (key === undefined || !(await verifySignature(key, signature, statement))) {
          throw new HushError('share/signature', `The shares of ${dealer} are not signed by it.`);
        }
      }),
    );
    const { good, bad } = await this.#keysOf(round).open(roster, delivery);
    return { good, bad, u1Root: u1RootOf(delivery.dealings) };
  };

  train: Work['train'] = async ({ kind }, round) => {
    const { binding, identity, trainer } = this.#options;
    return trainer.train({ round, kind, seed: trainingSeed(binding.planHash, round, identity.id) });
  };

  mask: Work['mask'] = async ({ plan, kind, roster, u1, u1Root, modelHash }, round) => {
    const sumSpec = sumSpecFor(kind, plan);
    const sumSpecHash = sumSpecHashOf(sumSpec);
    const binding = { modelHash, rosterRoot: roster.rosterRoot, u1Root, sumSpecHash };
    const seeds = await this.#keysOf(round).maskSeeds(roster, u1, binding);
    const report = await this.#options.trainer.mask({ round, sumSpec, groupSize: roster.members.length, seeds });
    return { ...report, sumSpecHash };
  };

  agree: Work['agree'] = (tuple, round) =>
    this.#options.identity.sign(consistencyStatement(this.#options.binding, round, tuple));

  checkAgreement: Work['checkAgreement'] = async ({ roster, tuple, survivors, signatures }, round) => {
    checkAscending(
      signatures.map(([id]) => id),
      'signatures',
    );
    const alive = new Set(survivors);
    const keys = new Map(roster.members.map((member) => [member.id, member.publicKey]));
    const statement = consistencyStatement(this.#options.binding, round, tuple);
    return countSigned({ statement, signatures, keys, alive }, roster.threshold);
  };

  release: Work['release'] = async ({ roster, u1, survivors }, round) => {
    const keys = this.#keysOf(round);
    this.#keys.delete(round);
    return keys.release(roster, u1, survivors);
  };

  apply: Work['apply'] = async ({ plan, result }, round) => {
    const { kind, members, survivors, packedSum } = result;
    const sumSpec = sumSpecFor(kind, plan);
    const order = { round, sumSpec, members, survivors, packedSum: ownBytes(packedSum) };
    const { parameters, ...applied } = await this.#options.trainer.apply(order);
    this.model = { parameters, hash: applied.modelHashAfter };
    return applied;
  };

  confirm: Work['confirm'] = async ({ applied, prevRecordHash, roster, survivors, tuple }, round) => {
    const { identity, binding } = this.#options;
    const { sumHash, modelHashAfter } = applied;
    const participants = roster.members.map(({ id, publicKey }): [ParticipantId, PublicKey] => [id, publicKey]);
    const result = { ...applied, sumSpecHash: tuple.sumSpecHash };
    const confirmation = confirmationOf(
      result,
      prevRecordHash,
      tuple,
      sheetHashOf({ participants, survivors: [...survivors] }),
    );
    const signature = await identity.sign(confirmationStatement(binding, round, confirmation));
    return { sumHash, modelHashAfter, signature };
  };

  checkRecord: Work['checkRecord'] = async ({ plan, head, record, known }) => {
    const after = await extendHead({ ...this.#options, plan }, head, record, this.#options.identity.id);
    checkKnown(record, known);
    return {
      before: head.recordHash,
      head: after,
      curve: curveOf(record, plan),
    };
  };

  #keysOf(round: RoundNumber): RoundKeys {
    const keys = this.#keys.get(round);
    if (keys === undefined) throw new HushError('round/wiped', `The keys of round ${round} are gone.`);
    return keys;
  }
}

/**
 * A record must say of its round what this participant saw.
 * @throws HushError `ledger/minority` when enough others confirmed another result, `ledger/contradiction` when the round
 * itself was another one.
 */
function checkKnown({ body }: LedgerRecord, known: Known): void {
  if (body.status !== 'complete') return;
  const { applied, members, survivors } = known;
  const differs = (code: 'ledger/contradiction' | 'ledger/minority', comparisons: readonly Comparison[]): void => {
    for (const [field, seen, recorded] of comparisons) {
      if (seen === undefined || seen === recorded) continue;
      throw new HushError(code, `The record's ${field} is not what this participant saw in round ${body.round}.`);
    }
  };
  const group = body.groups.find(({ rosterRoot }) => rosterRoot === known.rosterRoot);
  const participants = members?.map(({ id, publicKey }): [ParticipantId, PublicKey] => [id, publicKey]);
  differs('ledger/contradiction', [
    ['kind', known.kind, body.kind],
    ['sumSpecHash', known.sumSpecHash, body.sumSpecHash],
    ['draw', known.revealRoot, body.draw?.revealRoot],
    ['rosterRoot', known.rosterRoot, group?.rosterRoot],
  ]);
  if (group?.status === 'summed') {
    const sheetHash = participants && survivors && sheetHashOf({ participants, survivors: [...survivors] });
    differs('ledger/contradiction', [
      ['u1Root', known.u1Root, group.u1Root],
      ['u2Root', known.u2Root, group.u2Root],
      ['list of participants and survivors', sheetHash, group.sheetHash],
    ]);
  }
  // Whose group was lost signed nothing, and knows no result but the one that it followed.
  differs('ledger/minority', [
    ['sumHash', applied?.sumHash, body.sumHash],
    ['modelHashAfter', applied?.modelHashAfter, body.modelHashAfter],
    ['figures', applied && figuresHashOf(applied), figuresHashOf(body)],
  ]);
}

type Comparison = readonly [field: string, seen: unknown, recorded: unknown];
