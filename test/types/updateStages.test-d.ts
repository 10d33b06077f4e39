/**
 * Only a MaskedUpdate can be sent: checked by the compiler, in the run that checks the whole tree. A line marked
 * `@ts-expect-error` that compiles is an error itself.
 */
import type {
  AggregateSum,
  ClippedUpdate,
  FieldVector,
  MaskedUpdate,
  ModelParameters,
  NoisedFieldVector,
  RawUpdate,
} from '../../src/core/updateStages.ts';
import type { Hash } from '../../src/core/ids.ts';
import type { Body } from '../../src/federation/messages.ts';
import type { ParticipantDraft } from '../../src/federation/participantDraft.ts';

declare const draft: ParticipantDraft;
declare const piecesRoot: Hash;
const send = (packed: Body<'masked'>['packed']): void => draft.send('masked', 1, { piecesRoot, packed });
declare const raw: RawUpdate;
declare const clipped: ClippedUpdate;
declare const field: FieldVector;
declare const noised: NoisedFieldVector;
declare const sum: AggregateSum;
declare const parameters: ModelParameters;
declare const masked: MaskedUpdate;

send(masked);
draft.send('masked', 1, { piecesRoot, packed: masked });
// @ts-expect-error neither does a raw update go into the message itself
draft.send('masked', 1, { piecesRoot, packed: raw });

// @ts-expect-error an update as it was trained
send(raw);
// @ts-expect-error clipped is not masked
send(clipped);
// @ts-expect-error quantised is not masked
send(field);
// @ts-expect-error noise is not a mask
send(noised);
// @ts-expect-error a sum is not one participant's
send(sum);
// @ts-expect-error parameters give the update away
send(parameters);
// @ts-expect-error bytes of which nobody says what they are
send(new Uint8Array(8));
// @ts-expect-error the bytes of an update under another name
send(new Uint8Array(raw.buffer));

// Stages do not stand in for one another either.
declare function clip(update: RawUpdate): ClippedUpdate;
declare function quantise(update: ClippedUpdate): FieldVector;

quantise(clip(raw));
// @ts-expect-error not clipped yet
quantise(raw);
// @ts-expect-error clipped already
clip(clipped);
