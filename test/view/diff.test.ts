import { expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import { diffLines } from '../../src/view/diff.ts';

test('a changed line among others', () => {
  expect(diffLines({ was: 'a\nb\nc\n', will: 'a\nB\nc\n' })).toEqual([' a', '-b', '+B', ' c']);
});

test('new text, and text without a final newline', () => {
  expect(diffLines({ was: '', will: 'one' })).toEqual(['+one']);
});

test('neither the new nor the old secret is shown', () => {
  const lines = diffLines({ was: 'auth_pass old\n', will: `auth_pass ${secretSlot('vrrp')}\n` });
  expect(lines).toEqual(['-auth_pass [old secret vrrp]', '+auth_pass [secret vrrp]']);
});

test('escape sequences of a host are shown, not obeyed', () => {
  expect(diffLines({ was: '\u001b[2Jgone\n', will: '' })).toEqual(['-\\x1b[2Jgone']);
});
