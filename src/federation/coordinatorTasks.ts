/** The work of a coordinator: checks, sums in its worker, and storing before sending. */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import type { Summer } from '../core/localWork.ts';
import { startHash } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { sumSpecFor } from '../core/sumSpec.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { participantIdOf } from '../crypto/hash.ts';
import type { Identity } from '../crypto/identity.ts';
import { verifySignature } from '../crypto/identity.ts';
import { merkleProofs } from '../crypto/merkle.ts';
import type { CoordinatorTasks } from './coordinatorState.ts';
import type { CoordinatorStore, KeptState } from './coordinatorStore.ts';
import { drawGroups } from './groups.ts';
import { encodeLedger, extendHead } from './ledger.ts';
import type { Binding } from './messages.ts';
import { recordBytes, recordHash } from './record.ts';
import type { LedgerRecord } from './record.ts';
import { checkAdvert, cohortOf, indexIn, rosterOf } from './roster.ts';
import { confirmationStatement, consistencyStatement, dealingStatement, recordStatement } from './statements.ts';
import { sumSpecHashOf } from './sumSpecHash.ts';
import { checkUnmask, masksToUndo } from './unmasking.ts';

export interface CoordinatorWorkOptions {
  readonly identity: Identity;
  readonly binding: Binding;
  readonly plan: Plan;
  readonly planBytes: Bytes;
  readonly secret: Bytes;
  readonly summer: Summer;
  readonly store: CoordinatorStore;
  readonly records: readonly LedgerRecord[];
  /** What else of the state is stored with a mark. */
  readonly kept: () => KeptState;
  /** Mean bytes of one participant since the last record. */
  readonly bytesSince: () => { readonly up: number; readonly down: number };
}

type Work = {
  readonly [Name in keyof CoordinatorTasks]: (
    input: CoordinatorTasks[Name]['input'],
    round: RoundNumber,
    of: { readonly about?: ParticipantId; readonly group?: number },
  ) => Promise<CoordinatorTasks[Name]['output']>;
};

export class CoordinatorWork implements Work {
  readonly #options: CoordinatorWorkOptions;
  readonly #records: LedgerRecord[];
  /** Of the model that the summer holds. */
  #modelHash: Hash | undefined;

  constructor(options: CoordinatorWorkOptions) {
    this.#options = options;
    this.#records = [...options.records];
  }

  get records(): readonly LedgerRecord[] {
    return this.#records;
  }

  /** Makes the summer ready to go on from `modelHash`; also after its worker died. */
  async openSummer(modelHash: Hash): Promise<void> {
    const { summer, plan, store } = this.#options;
    await summer.open({ plan });
    await this.#loadModel(modelHash, await store.model(modelHash));
  }

  async #loadModel(hash: Hash, kept: Parameters<Summer['load']>[0] | undefined): Promise<void> {
    const { summer, store } = this.#options;
    const parameters = kept ?? (await this.#initialModel());
    this.#modelHash = await summer.load(parameters);
    if (this.#modelHash !== hash) {
      throw new HushError('run/model', `The stored model's hash is ${this.#modelHash}, the ledger says ${hash}.`, {
        advice: 'The stored run is damaged: launch a new one.',
      });
    }
    await store.keepModel(hash, parameters);
  }

  #initialModel(): Promise<ModelParameters> {
    const { summer, plan } = this.#options;
    const start = startHash(plan);
    if (start === undefined) return summer.initialModel();
    throw new HushError('run/start', `The model that the plan begins with, ${start}, is not in this browser.`, {
      advice: 'Launch the plan anew, with the file of that model.',
    });
  }

  checkAdvert: Work['checkAdvert'] = async (advert, round, { about }) => {
    if (participantIdOf(advert.publicKey) !== about) {
      throw new HushError('advert/sender', 'An advert for somebody else.', { trace: [`participant ${about ?? ''}`] });
    }
    return { advert, member: await checkAdvert({ ...this.#options, round }, advert) };
  };

  makeCohort: Work['makeCohort'] = async (adverts, round) => {
    const { plan } = this.#options;
    const cohort = cohortOf(plan, round, adverts);
    return { cohort, proofs: plan.aggregation.groupSize === undefined ? [] : merkleProofs(cohort.leaves) };
  };

  draw: Work['draw'] = async ({ cohort, reveals }, round) => {
    const { plan } = this.#options;
    if (reveals !== undefined) return drawGroups(plan, round, cohort, reveals);
    const message = { adverts: cohort.adverts.map(({ advert }) => advert) };
    return { entry: undefined, groups: [{ roster: rosterOf(plan, round, cohort), message }], draws: new Map() };
  };

  checkShare: Work['checkShare'] = async ({ roster, body }, round, { about }) => {
    const dealer = about ?? ('' as ParticipantId);
    const key = roster.members[indexIn(roster, dealer)]?.publicKey;
    const { shareRoot, seedCommitment, signature, boxes } = body;
    const statement = dealingStatement(this.#options.binding, round, roster.rosterRoot, {
      dealer,
      shareRoot,
      seedCommitment,
    });
    if (key === undefined || !(await verifySignature(key, signature, statement))) {
      throw new HushError('share/signature', `The shares of ${dealer} are not signed by it.`);
    }
    const holders = new Set(boxes.map(([holder]) => holder));
    const expected = roster.members.filter(({ id }) => id !== dealer);
    if (
      holders.size !== expected.length ||
      !expected.every(({ id }) => holders.has(id)) ||
      boxes.length !== holders.size
    ) {
      throw new HushError(
        'share/boxes',
        `${dealer} sent ${boxes.length} boxes, expected one for each of ${expected.length} others.`,
      );
    }
    return body;
  };

  mark: Work['mark'] = async (mark) => {
    const { store, kept } = this.#options;
    await store.mark(mark, kept());
    return undefined;
  };

  beginSum: Work['beginSum'] = async ({ kind, groupSizes, mark }, round) => {
    const { plan, summer } = this.#options;
    await this.mark(mark, round, {});
    const sumSpec = sumSpecFor(kind, plan);
    await summer.begin({ round, sumSpec, groupSizes });
    return { sumSpecHash: sumSpecHashOf(sumSpec) };
  };

  /** What was claimed of the pieces is of no use: what arrived is what counts, and its sender compares. */
  addMasked: Work['addMasked'] = ({ group, body }, round) => this.#options.summer.add(round, group, body.packed);

  checkAgreement: Work['checkAgreement'] = async ({ key, tuple, signature }, round) => {
    const statement = consistencyStatement(this.#options.binding, round, tuple);
    if (await verifySignature(key, signature, statement)) return signature;
    throw new HushError('round/agreement', 'The signature is not over the same roster, survivors, model and sum.');
  };

  checkUnmask: Work['checkUnmask'] = async ({ body, ...context }, _round, { about }) => {
    return checkUnmask(context, about ?? ('' as ParticipantId), body);
  };

  unmask: Work['unmask'] = async ({ roster, dealings, survivors, tuple, answers }, round, { group = 0 }) => {
    const { binding, summer } = this.#options;
    const given = new Map(Object.entries(answers) as [ParticipantId, (typeof answers)[ParticipantId]][]);
    const seeds = await masksToUndo({ roster, dealings, survivors }, binding, round, tuple, given);
    await summer.unmask(round, group, survivors.length, seeds);
    return undefined;
  };

  finish: Work['finish'] = async ({ members, survivors }, round) => {
    const { summer, store } = this.#options;
    const { packedSum, parameters, ...applied } = await summer.finish(round, members, survivors);
    this.#modelHash = applied.modelHashAfter;
    await store.keepModel(applied.modelHashAfter, parameters);
    return { applied, packedSum };
  };

  checkConfirm: Work['checkConfirm'] = async ({ key, body, confirmation }, round) => {
    const statement = confirmationStatement(this.#options.binding, round, confirmation);
    if (await verifySignature(key, body.signature, statement)) return body.signature;
    throw new HushError('round/confirmation', 'The signature is not over the same sum, model and record before.');
  };

  seal: Work['seal'] = async ({ head, body, sheets, metrics }) => {
    const { identity, binding, plan, store, bytesSince } = this.#options;
    const coordinatorSignature = await identity.sign(recordStatement(recordBytes(body)));
    const record: LedgerRecord = { body, sheets: [...sheets], coordinatorSignature };
    const next = await extendHead({ binding, plan, coordinatorKey: identity.publicKey }, head, record);
    const bytes = metrics === undefined ? undefined : bytesSince();
    const measured = metrics &&
      bytes && { ...metrics, bytesUpPerParticipant: bytes.up, bytesDownPerParticipant: bytes.down };
    await store.addRecord(this.#records.length, record, measured);
    this.#records.push(record);
    // A round that was given up after its sum was applied leaves the summer one model ahead.
    if (this.#modelHash !== next.modelHash) await this.#loadModel(next.modelHash, await store.model(next.modelHash));
    return { head: next, record, metrics: measured };
  };

  item: Work['item'] = async ({ what, hash }) => {
    const { binding, planBytes, store } = this.#options;
    switch (what) {
      case 'plan':
        return hash === binding.planHash ? { what, hash, content: planBytes } : { what, hash };
      case 'model': {
        // What cannot be read is answered like what is not there: the asker must not wait for ever.
        const content = await store.modelBytes(hash).catch(() => undefined);
        return content === undefined ? { what, hash } : { what, hash, content };
      }
      case 'ledger': {
        const end = this.#records.findIndex(({ body }) => recordHash(body) === hash);
        return end < 0 ? { what, hash } : { what, hash, content: encodeLedger(this.#records.slice(0, end + 1)) };
      }
      default:
        return what satisfies never;
    }
  };
}
