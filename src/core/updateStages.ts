/**
 * The way of an update, one brand a stage, so that the wrong order does not compile:
 * RawUpdate -> ClippedUpdate -> FieldVector -> (NoisedFieldVector) -> MaskedUpdate -> AggregateSum.
 */
import type { Brand } from './brand.ts';
import type { Bytes } from './bytes.ts';

/** Local model minus global model, float32, shape [parameters]. Never leaves the worker. */
export type RawUpdate = Brand<Float32Array, 'RawUpdate'>;

/** The same, its L2 norm at most the plan's `clipNorm` and every value finite. Never leaves the worker. */
export type ClippedUpdate = Brand<Float32Array, 'ClippedUpdate'>;

/** All segments of a SumSpec as integers of `bits` bits, one a word, shape [words]. Never leaves the worker. */
export type FieldVector = Brand<Uint32Array, 'FieldVector'>;

/** A FieldVector to which calibrated noise was added. Never leaves the worker. */
export type NoisedFieldVector = Brand<Uint32Array, 'NoisedFieldVector'>;

/** Words modulo 2^R under the self mask and every pairwise mask, packed to R bits each. The only stage that is sent. */
export type MaskedUpdate = Brand<Bytes, 'MaskedUpdate'>;

/** The unmasked sum over the survivors: integers modulo 2^R that did not wrap, shape [words]. */
export type AggregateSum = Brand<Uint32Array, 'AggregateSum'>;

/** A model's parameters in the order of its ParameterLayout, float32, shape [parameters]. */
export type ModelParameters = Brand<Float32Array, 'ModelParameters'>;
