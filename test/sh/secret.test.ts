import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { mask, maskBySlots, Secrets, secretSlot, secretsIn } from '../../src/sh/secret.ts';

const slot = secretSlot('vrrp');
const secrets = new Secrets(new Map([['vrrp', 'hunter2']]));

test('a slot is shown masked and sent resolved', () => {
  expect(mask(`auth_pass ${slot}`)).toBe('auth_pass [secret vrrp]');
  expect(secrets.resolve(`auth_pass ${slot}`)).toBe('auth_pass hunter2');
});

test('a former value in the same place is hidden too, whatever its indentation', () => {
  const was = 'a\n\tauth_pass   old1111\nb old1111x\n';
  expect(maskBySlots(was, `a\n    auth_pass ${slot}\nb\n`)).toBe('a\n\tauth_pass   [old secret vrrp]\nb old1111x\n');
});

test('and where we put quotes around it that were not there, or leave them off', () => {
  expect(maskBySlots('auth_pass old1111\n', `    auth_pass "${slot}"\n`)).toBe('auth_pass [old secret vrrp]\n');
  expect(maskBySlots('auth_pass "old 1111"\n', `    auth_pass "${slot}"\n`)).toBe('auth_pass "[old secret vrrp]"\n');
  expect(maskBySlots("pw='old1111';\n", `pw=${slot};\n`)).toBe('pw=[old secret vrrp];\n');
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
