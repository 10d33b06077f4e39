/** What of the signalling server's messages reaches PeerJS. */
import { assert, constantFrom, jsonValue, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { readSignal } from '../../src/transport/signal.ts';

const offer = {
  type: 'OFFER',
  src: 'abc',
  payload: {
    type: 'data',
    connectionId: 'dc_1',
    label: 'dc_1',
    serialization: 'raw',
    reliable: true,
    metadata: { anything: true },
    sdp: { type: 'offer', sdp: 'v=0' },
  },
};

test('an offer is rebuilt from what was checked, without metadata', () => {
  expect(readSignal(offer)).toEqual({
    kind: 'offer',
    from: 'abc',
    connection: 'dc_1',
    payload: {
      type: 'data',
      connectionId: 'dc_1',
      label: 'dc_1',
      serialization: 'raw',
      reliable: true,
      sdp: { type: 'offer', sdp: 'v=0' },
    },
  });
});

test.each([
  ['media', { type: 'media' }],
  ['a serialization that reassembles without a bound', { serialization: 'binary' }],
  ['a serialization that does not exist', { serialization: 'constructor' }],
  ['unordered frames', { reliable: false }],
  ['no connection', { connectionId: undefined }],
  ['a long name', { connectionId: 'x'.repeat(101) }],
  ['no description', { sdp: null }],
  ['a description of another type', { sdp: { type: 'answer', sdp: 'v=0' } }],
  ['a long description', { sdp: { type: 'offer', sdp: 'x'.repeat(16 * 1024 + 1) } }],
])('an offer of %s is ignored', (_what, change) => {
  expect(readSignal({ ...offer, payload: { ...offer.payload, ...change } })).toBeUndefined();
});

test('answers and candidates keep the fields that WebRTC knows', () => {
  const answer = { type: 'ANSWER', src: 'abc', payload: { connectionId: 'dc_1', sdp: { type: 'answer', sdp: 'v=0' } } };
  expect(readSignal(answer)).toMatchObject({ kind: 'answer', payload: { sdp: { type: 'answer', sdp: 'v=0' } } });
  const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'uf', extra: 1 };
  expect(readSignal({ type: 'CANDIDATE', src: 'abc', payload: { connectionId: 'dc_1', candidate } })).toEqual({
    kind: 'candidate',
    from: 'abc',
    connection: 'dc_1',
    payload: { candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'uf' } },
  });
});

test('leaving and expiring say who is gone', () => {
  expect(readSignal({ type: 'LEAVE', src: 'abc' })).toEqual({ kind: 'gone', from: 'abc' });
  expect(readSignal({ type: 'EXPIRE', src: 'abc', payload: 5 })).toEqual({ kind: 'gone', from: 'abc' });
  expect(readSignal({ type: 'EXPIRE' })).toBeUndefined();
});

test('nothing that can be sent as JSON makes it throw', () => {
  const types = constantFrom('OFFER', 'ANSWER', 'CANDIDATE', 'LEAVE', 'EXPIRE', 'OPEN', 'ERROR', 'toString', '');
  const message = oneof(jsonValue(), record({ type: types, src: jsonValue(), payload: jsonValue() }));
  assert(
    property(message, (value) => {
      const signal = readSignal(value);
      if (signal?.kind === 'offer') expect(signal.payload.serialization).toBe('raw');
    }),
  );
});
