/** The names of things. All are lower-case hexadecimal text here, and raw bytes on the wire. */
import type { Brand } from './brand.ts';

/** First 16 bytes of SHA-256 of a participant's Ed25519 public key. Sorting the text sorts the bytes. */
export type ParticipantId = Brand<string, 'ParticipantId'>;

/** First 16 bytes of SHA-256(coordinator's key ‖ plan hash ‖ 16 random bytes): one per launched federation. */
export type FederationId = Brand<string, 'FederationId'>;

/** A SHA-256 digest, 32 bytes. */
export type Hash = Brand<string, 'Hash'>;

/** A raw Ed25519 or X25519 public key, 32 bytes. */
export type PublicKey = Brand<string, 'PublicKey'>;

/** An Ed25519 signature, 64 bytes. */
export type Signature = Brand<string, 'Signature'>;

/** A channel to one peer, named by the transport; says nothing about who the peer is. */
export type ChannelId = Brand<string, 'ChannelId'>;

/** Attempts at a round are numbered from 1 and never reused: a retry gets a higher number. */
export type RoundNumber = number;
