import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { decryptVault, isVault } from '../../src/secrets/ansible-vault.ts';
import { encryptVault } from '../support/vault.ts';

// Made without this code: Python's hashlib.pbkdf2_hmac and hmac, and `openssl enc -aes-256-ctr`. The password is "correct horse".
const first = `$ANSIBLE_VAULT;1.1;AES256
30303031303230333034303530363037303830393061306230633064306530663130313131323133
3134313531363137313831393161316231633164316531660a653335366437303865623162636430
36616665326531636664613830666238336561373137386336323661393234353262646332396462
6662343835326630360a626465313637373865343263613132623265383034363333656264313137
33383231306363336161633262626132333462343339613832353933653435666638336164386137
66333661663861633764613234616236653262323662393234333464646533616130386265613436
33643464643763343765343837656534393235323233346234316633623365373038616339383730
38626562663135623637
`;
const second = `$ANSIBLE_VAULT;1.2;AES256;prod
32303231323232333234323532363237323832393261326232633264326532663330333133323333
3334333533363337333833393361336233633364336533660a313939363164363563303832373338
65363165366564323536343363303962303262306561653132623834333834393265623639303530
3533633935613263330a333638313735623965303064333863383839323030636165363436616563
34313339386637333863623131316366656635396539323233383866623436666164623334613539
6333636265643832333463353236396663356132356366363234
`;

const opened = (text: string, password = 'correct horse'): Promise<string> =>
  decryptVault(Buffer.from(text), password, 'vault.yml').catch((error: unknown) => {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  });
const wrong = 'vault.yml: the vault password is wrong, or the file was changed; try "ansible-vault view" with it';
const torn = 'vault.yml: this ansible-vault file is torn: its end is missing, or it was changed; take it from a backup';

/** Another last digit of the salt (0), of the seal (1), of what is encrypted (2). */
function tampered(text: string, part: number): string {
  const [header, ...lines] = text.trim().split('\n');
  const parts = Buffer.from(lines.join(''), 'hex').toString().split('\n');
  const other = parts.map((each, index) => (index === part ? each.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) : each));
  return `${header}\n${Buffer.from(other.join('\n')).toString('hex')}\n`;
}

test('files that another implementation has made', async () => {
  expect(isVault(Buffer.from(second))).toBe(true);
  expect(await opened(first)).toBe('vrrp: hunter2x\ndb: "s3cret: #1"\nlist: [1, 2]\n"not a name": x\nport: 0123\n');
  expect(await opened(second)).toBe('vrrp: hunter2x\nwort: Schlüssel\n');
  expect(await opened(second.replaceAll('\n', '\r\n'))).toBe('vrrp: hunter2x\nwort: Schlüssel\n');
});

test.each(['', 'x', 'a'.repeat(15), 'a'.repeat(16), 'ü'.repeat(5000)])('any length of text', async (text) => {
  expect(await opened(encryptVault(text, 'pass'), 'pass')).toBe(text);
});

test('a wrong password, and a file that was changed, are the same: nothing of it is decrypted', async () => {
  expect(await opened(second, 'Correct horse')).toBe(wrong);
  expect(await opened(second, '')).toBe(wrong);
  for (const part of [0, 1, 2]) expect(await opened(tampered(second, part)), `part ${part}`).toBe(wrong);
});

test.each([
  ['cut in the middle of a pair', second.slice(0, 300)],
  ['cut in front of the encrypted text', second.slice(0, 200)],
  ['nothing but its first line', second.split('\n')[0] ?? ''],
  ['no digits', '$ANSIBLE_VAULT;1.1;AES256\nhunter2\n'],
  ['digits of no digits', `$ANSIBLE_VAULT;1.1;AES256\n${Buffer.from('a\nb\nc').toString('hex')}\n`],
  ['a line too many', `${second}${Buffer.from('\n00').toString('hex')}`],
])('%s', async (_, text) => expect([torn, wrong]).toContain(await opened(text)));

test.each(['$ANSIBLE_VAULT;1.0;AES', '$ANSIBLE_VAULT;1.1;AES', '$ANSIBLE_VAULT;9.9;AES256', '$ANSIBLE_VAULT;'])(
  '%s is not read',
  async (header) => {
    expect(await opened(`${header}\n00\n`)).toBe(
      'vault.yml: this ansible-vault file is neither of format 1.1 nor 1.2 with AES256; encrypt it anew with "ansible-vault rekey"',
    );
  },
);
