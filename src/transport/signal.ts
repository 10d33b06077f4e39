/**
 * What may come from the signalling server, checked before PeerJS sees it. PeerJS trusts it: an offer may name a
 * serialization that does not exist (TypeError in an event handler) or one that reassembles without a bound, a call
 * opens a media connection, and messages for unknown connections are kept for ever (peerjs 1.5.5, peer.ts).
 */

/** A description of one data channel is about 600 bytes long. */
const MAX_SDP_LENGTH = 16 * 1024;
const MAX_CANDIDATE_LENGTH = 1024;
const MAX_NAME_LENGTH = 100;

export type Signal =
  | { readonly kind: 'server'; readonly type: 'OPEN' | 'ERROR' | 'ID-TAKEN' | 'INVALID-KEY' }
  | { readonly kind: 'gone'; readonly from: string }
  | { readonly kind: 'offer'; readonly from: string; readonly connection: string; readonly payload: OfferPayload }
  | { readonly kind: 'answer'; readonly from: string; readonly connection: string; readonly payload: AnswerPayload }
  | {
      readonly kind: 'candidate';
      readonly from: string;
      readonly connection: string;
      readonly payload: CandidatePayload;
    };

interface OfferPayload {
  readonly type: 'data';
  readonly connectionId: string;
  readonly label: string;
  readonly reliable: true;
  readonly serialization: 'raw';
  readonly sdp: RTCSessionDescriptionInit;
}

interface AnswerPayload {
  readonly sdp: RTCSessionDescriptionInit;
}

interface CandidatePayload {
  readonly candidate: RTCIceCandidateInit;
}

type Fields = Readonly<Record<string, unknown>>;

/** The message with nothing in it but what was checked; undefined when it is not what an honest peer sends. */
export function readSignal(message: unknown): Signal | undefined {
  const { type, src, payload } = fields(message);
  switch (type) {
    case 'OPEN':
    case 'ERROR':
    case 'ID-TAKEN':
    case 'INVALID-KEY':
      return { kind: 'server', type };
    case 'LEAVE':
    case 'EXPIRE':
      return isName(src) ? { kind: 'gone', from: src } : undefined;
    case 'OFFER':
    case 'ANSWER':
    case 'CANDIDATE':
      return isName(src) ? readPeerSignal(type, src, fields(payload)) : undefined;
    default:
      return undefined;
  }
}

function readPeerSignal(type: 'OFFER' | 'ANSWER' | 'CANDIDATE', from: string, payload: Fields): Signal | undefined {
  const connection = payload['connectionId'];
  if (!isName(connection)) return undefined;
  if (type === 'CANDIDATE') {
    const candidate = readCandidate(fields(payload['candidate']));
    return candidate ? { kind: 'candidate', from, connection, payload: { candidate } } : undefined;
  }
  const { type: sdpType, sdp: text } = fields(payload['sdp']);
  if (typeof text !== 'string' || text.length > MAX_SDP_LENGTH || sdpType !== type.toLowerCase()) return undefined;
  if (type === 'ANSWER') return { kind: 'answer', from, connection, payload: { sdp: { type: 'answer', sdp: text } } };
  if (payload['type'] !== 'data' || payload['serialization'] !== 'raw' || payload['reliable'] !== true)
    return undefined;
  const sdp: RTCSessionDescriptionInit = { type: 'offer', sdp: text };
  return {
    kind: 'offer',
    from,
    connection,
    payload: { type: 'data', connectionId: connection, label: connection, reliable: true, serialization: 'raw', sdp },
  };
}

function readCandidate(given: Fields): RTCIceCandidateInit | undefined {
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = given;
  if (typeof candidate !== 'string' || candidate.length > MAX_CANDIDATE_LENGTH) return undefined;
  return {
    candidate,
    sdpMid: isName(sdpMid) ? sdpMid : null,
    sdpMLineIndex: typeof sdpMLineIndex === 'number' ? sdpMLineIndex : null,
    usernameFragment: isName(usernameFragment) ? usernameFragment : null,
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
