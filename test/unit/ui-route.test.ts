/** Addresses and pasted links. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pastedFragment, readRoute } from '../../src/ui/route.ts';

describe('an address', () => {
  it.each([
    ['', { screen: 'home' }],
    ['#', { screen: 'home' }],
    ['#/', { screen: 'home' }],
    ['#/launch', { screen: 'launch' }],
    ['#/try', { screen: 'try' }],
    ['#/run/7f3a', { screen: 'run', federation: '7f3a' }],
    ['#join=a_b-c', { screen: 'join', fragment: 'join=a_b-c' }],
    ['#join=', { screen: 'join', fragment: 'join=' }],
    ['#/run', { screen: 'unknown', address: '#/run' }],
    ['#/run/7f3a/x', { screen: 'unknown', address: '#/run/7f3a/x' }],
    ['#/lauch', { screen: 'unknown', address: '#/lauch' }],
  ])('%s', (address, route) => expect(readRoute(address)).toEqual(route));

  it('is read whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readRoute(`#${text}`).screen).toMatch(/^[a-z]+$/);
      }),
    );
  });
});

it('takes the fragment out of what was pasted', () => {
  expect(pastedFragment('  https://train.example.org/app#join=abc \n')).toBe('join=abc');
  expect(pastedFragment('join=abc')).toBe('join=abc');
  expect(pastedFragment('#join=abc')).toBe('join=abc');
  expect(pastedFragment('')).toBe('');
});
