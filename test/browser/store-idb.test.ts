/** The store of a real browser: values and keys survive, failures have names. */
import { afterEach, expect, test, vi } from 'vitest';
import { createStore } from '../../src/platform/store.ts';

afterEach(() => vi.restoreAllMocks());

function freshName(): string {
  return `test-${crypto.randomUUID()}`;
}

test('keeps structured-clonable values, and forgets them', async () => {
  const store = createStore(freshName());
  expect(await store.get('nothing')).toBeUndefined();
  await store.set('value', { bytes: Uint8Array.of(1, 2, 3), nested: [1, 'two'] });
  expect(await store.get('value')).toEqual({ bytes: Uint8Array.of(1, 2, 3), nested: [1, 'two'] });
  await store.delete('value');
  expect(await store.get('value')).toBeUndefined();
});

test('keeps a key that cannot be exported, which still signs', async () => {
  const name = freshName();
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
  await createStore(name).set('identity', pair);
  const kept = await createStore(name).get<CryptoKeyPair>('identity');
  expect(kept?.privateKey.extractable).toBe(false);
  const signature = await crypto.subtle.sign('Ed25519', kept!.privateKey, Uint8Array.of(7));
  expect(await crypto.subtle.verify('Ed25519', pair.publicKey, signature, Uint8Array.of(7))).toBe(true);
});

test('lists keys under a prefix, sorted, and stores of other names apart', async () => {
  const [store, other] = [createStore(freshName()), createStore(freshName())];
  for (const key of ['run/b', 'guard/a', 'run/a', 'runs']) await store.set(key, key);
  await other.set('run/c', 1);
  expect(await store.keys('run/')).toEqual(['run/a', 'run/b']);
  expect(await store.keys('')).toEqual(['guard/a', 'run/a', 'run/b', 'runs']);
});

test('a full disk is store/full, and what cannot be cloned is store/failed', async () => {
  const store = createStore(freshName());
  await store.set('before', 1);
  await expect(store.set('function', () => 1)).rejects.toMatchObject({ code: 'store/failed' });
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  await expect(store.set('model', new Uint8Array(4))).rejects.toMatchObject({
    code: 'store/full',
    message: expect.stringContaining('"model"') as string,
  });
  expect(await store.get('before')).toBe(1);
});
