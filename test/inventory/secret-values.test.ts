import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { rejectSecretValues } from '../../src/inventory/secret-values.ts';
import type { Fleet } from '../../src/model.ts';
import { Secrets, secretSlot } from '../../src/sh/secret.ts';
import { s0Fleet } from '../support/plan-context.ts';

const withPassword = (authPass: string): Fleet => ({
  ...s0Fleet,
  file: 'dr.yaml',
  vrrp: { instances: (s0Fleet.vrrp?.instances ?? []).map((one) => ({ ...one, authPass })), syncGroups: [], scripts: [] },
});
const fleet = withPassword(secretSlot('vrrp'));
const rejected = (value: string): string | undefined => {
  const secrets = new Secrets(new Map([['vrrp', value]]));
  try {
    rejectSecretValues(fleet, (text) => secrets.resolve(text));
    return undefined;
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  }
};

test.each(['1111', 'a.b:c@d%'])('%j is a password', (value) => expect(rejected(value)).toBeUndefined());

test.each(['', 'nine char', 'toolong99', 'a"\n}\n', 'x\ty', 'p#w'])('%j is none, and is not shown', (value) => {
  expect(rejected(value)).toBe(
    `dr.yaml: the value of the secret in vrrp.auth_pass (${value.length} characters) cannot be a VRRP password; it is 1 to 8 letters, digits and signs of _.:@%+=,/^*-`,
  );
});

test('a secret without a value, and a password that is none, are left to others', () => {
  expect(() => rejectSecretValues(fleet, (text) => new Secrets().resolve(text))).not.toThrow();
  expect(() => rejectSecretValues(withPassword('1111'), (text) => text)).not.toThrow();
});
