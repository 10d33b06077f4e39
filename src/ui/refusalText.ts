/** What was dropped or refused, in words: the stable code behind each is for programs and for the threat model. */

const WORDS: Readonly<Record<string, string>> = {
  'codec/binding': 'made for another federation or plan',
  'codec/cbor': 'cannot be decoded',
  'codec/direction': 'sent by the wrong side',
  'codec/schema': 'not well formed',
  'codec/sender': 'from somebody else than it says',
  'codec/sequence': 'seen before, or out of order',
  'codec/signature': 'wrong signature',
  'codec/size': 'too large',
  'codec/type': 'of an unknown kind',
  'codec/version': 'of another version of the protocol',
  'meeting/early': 'sent before the meeting was over',
  'meeting/nonce': 'answers another meeting',
  'meeting/twice': 'a second greeting',
  'meeting/unwelcome': 'people who were not admitted',
  'advert/credential': 'keys without the link’s secret',
  'advert/duplicate-key': 'keys that serve two purposes',
  'advert/encoding': 'keys in a second encoding',
  'advert/named-signature': 'a name without its key’s signature',
  'advert/not-named': 'keys of somebody who is not on the list of names',
  'advert/signature': 'keys that are not signed by their owner',
  'advert/small-order': 'keys that make every secret zero',
  'roster/duplicate': 'a key or a name that is there already',
  'round/advert': 'keys that were not accepted',
  'round/agreement': 'a signature under another list of survivors',
  'round/called-twice': 'a second call for one round',
  'round/confirmation': 'a confirmation of another result',
  'round/masked': 'a masked update that does not fit',
  'round/refused': 'rounds that people refused',
  'round/replayed': 'a round that was served before',
  'round/reveal': 'randomness that was not committed to',
  'round/share': 'shares that are not signed by their dealer',
  'round/unmask': 'unmask shares that were not asked for, or do not prove',
  'set/order': 'a list that is not in order',
  'sync/busy': 'a request before the last was answered',
  'sync/unasked': 'an answer that nobody asked for',
  'unmask/proof': 'an unmask share that does not prove',
};

/** What came at a step that does not take it, as a rule too late. */
const OUT_OF_TURN: Readonly<Record<string, string>> = {
  advert: 'keys',
  agreement: 'a signature under the survivors',
  complaint: 'a complaint about shares',
  confirmation: 'a confirmation',
  delivery: 'a delivery of shares',
  masked: 'a masked update',
  result: 'a result',
  reveal: 'randomness for the groups',
  roster: 'a list of people',
  share: 'shares',
  survivors: 'a list of survivors',
  unmask: 'unmask shares',
};

/** "wrong signature"; of a code that has no words, its own. */
export function refusalWords(code: string): string {
  const known = WORDS[code];
  if (known !== undefined) return known;
  const [kind = '', what = ''] = code.split('/');
  const unexpected = /^unexpected-(.+)$/.exec(what)?.[1];
  if (unexpected !== undefined) return `${OUT_OF_TURN[unexpected] ?? unexpected.replaceAll('-', ' ')} out of turn`;
  const plain = what.replaceAll('-', ' ');
  if (kind === 'frame') return `a piece of a message: ${plain}`;
  return plain === '' ? code : `${kind}: ${plain}`;
}
