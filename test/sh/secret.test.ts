import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { maskBySlots } from '../../src/sh/former.ts';
import { mask, Secrets, secretSlot, secretsIn } from '../../src/sh/secret.ts';

const slot = secretSlot('vrrp');
const secrets = new Secrets(new Map([['vrrp', 'hunter2']]));

test('a slot is shown masked and sent resolved', () => {
  expect(mask(`auth_pass ${slot}`)).toBe('auth_pass [secret vrrp]');
  expect(secrets.resolve(`auth_pass ${slot}`)).toBe('auth_pass hunter2');
});

test('a former value in the same place is hidden too, whatever its indentation, and then wherever else it stands', () => {
  const was = 'a\n\tauth_pass   old1111\nb old1111x\n';
  expect(maskBySlots(was, `a\n    auth_pass ${slot}\nb\n`)).toBe('a\n\tauth_pass   [old secret vrrp]\nb [old secret vrrp]x\n');
});

test('what the new text says in clear is no former value', () => {
  const will = `auth_pass ${slot}\n${slot}\nenabled true\n`;
  expect(maskBySlots('auth_pass true\nenabled true\n', will)).toBe('auth_pass [old secret vrrp]\nenabled true\n');
});

test('a present value that was made a slot is the same text in both', () => {
  const line = `auth_pass "${slot}"`;
  expect(maskBySlots(line, line)).toBe(mask(line));
  expect(maskBySlots(line, `  auth_pass ${slot}`)).toBe(mask(line));
});

test('and where we put quotes around it that were not there, or leave them off', () => {
  expect(maskBySlots('auth_pass old1111\n', `    auth_pass "${slot}"\n`)).toBe('auth_pass [old secret vrrp]\n');
  expect(maskBySlots('auth_pass "old 1111"\n', `    auth_pass "${slot}"\n`)).toBe('auth_pass "[old secret vrrp]"\n');
  expect(maskBySlots("pw='old1111';\n", `pw=${slot};\n`)).toBe('pw=[old secret vrrp];\n');
});

describe('what a host says is concealed', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0B'}\n${'AQEFAASCBKcwggSjAgEAAoIB'}\nAQC7\n-----END PRIVATE KEY-----\n`;
  const [, first = '', second = ''] = key.split('\n');
  const long = new Secrets(new Map([...Object.entries({ key, vrrp: 'hunter2', word: 'vrrp', pin: '123', both: 'hunter2 and more' })]));
  const shown = (text: string): string => {
    const slots = long.conceal(text);
    expect(long.resolve(slots)).toBe(text);
    return mask(slots);
  };

  test('whole values, the longest first, and never within a slot that is there', () => {
    expect(shown('a hunter2, hunter2 and more')).toBe('a [secret vrrp], [secret both]');
    expect(shown('vrrp hunter2')).toBe('[secret word] [secret vrrp]');
    expect(long.conceal(`${secretSlot('vrrp')} vrrp`)).toBe(`${secretSlot('vrrp')} ${secretSlot('word')}`);
    expect(shown('1234')).toBe('1234');
  });

  test('lines of a long value, however they stand there, but not what public keys say too', () => {
    expect(shown(key)).toBe('[secret key]');
    expect(shown(`  -----BEGIN PRIVATE KEY-----\r\n  ${first}\r\n`)).toBe('  -----BEGIN PRIVATE KEY-----\r\n  [secret key]\r\n');
    expect(shown(`x ${second}, AQC7`)).toBe('x [secret key], AQC7');
  });

  test('what a cut has left of one at the beginning or at the end', () => {
    expect(shown(`${key.slice(40)}then`)).toBe('[secret key]then');
    expect(shown(`${first.slice(5)}\n${second}\nmore`)).toBe('[secret key]\n[secret key]\nmore');
    expect(shown(`said: ${second.slice(0, 9)}`)).toBe('said: [secret key]');
    expect(shown('2 and more follow')).toBe('[secret both] follow');
    expect(shown(`${first.slice(-7)}, ${second.slice(0, 7)}`)).toBe(`${first.slice(-7)}, ${second.slice(0, 7)}`);
  });
});

test('a secret without a value says which variable would give it', () => {
  expect(() => new Secrets().resolve(slot)).toThrowError(
    expect.objectContaining({ hint: 'set the environment variable LVSCTL_SECRET_VRRP' }),
  );
});

test('printing the keeper of the secrets gives none away', () => {
  expect(`${JSON.stringify(secrets)} ${inspect(secrets, { showHidden: true, depth: 9 })} ${secrets}`).not.toContain('hunter2');
});

test('slots are found wherever they stand in data, also in what refers to itself', () => {
  const data: Record<string, unknown> = { a: [`x${slot}y${secretSlot('db.web')}`, 1, null, undefined, () => slot], b: { [slot]: true } };
  data.self = data;
  expect([...secretsIn(data)]).toEqual(['vrrp', 'db.web']);
  expect([...secretsIn('none')]).toEqual([]);
});
