/** Certificates made, read and exchanged by a real openssl, as root of a namespace. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, Output } from '../../src/model.ts';
import { preamble } from '../../src/sh/frame.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { quote, renderSh, type Sh } from '../../src/sh/sh.ts';
import tlsCertificate from '../../src/tasks/tls_certificate.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const paths = () => ({ certificate: at('www.crt'), key: at('www.key') });
const names = ['www.example.org', '10.18.43.30', 'fd79::30'];

function run(fragment: Sh, { shell = 'dash', secret = '' } = {}): Output {
  const input = `${preamble}\nexport LVSCTL_BLOBS=${folder}\n( eval ${quote(renderSh(fragment, (value) => value.replace(secretSlot('key'), secret)))} ) </dev/null\n`;
  const { stdout, stderr, status } = spawnSync('unshare', ['--user', '--map-root-user', ...shell.split(' ')], { input, encoding: 'utf8' });
  return { stdout, stderr, exit: status ?? -1 };
}

function planned(params: object): readonly Change[] {
  const want = tlsCertificate.params.parse({ ...paths(), ...params });
  return tlsCertificate.plan(
    tlsCertificate.parse(run(tlsCertificate.probe(want)), want),
    want,
    planContext({ fleet: { file: at('fleet.yaml') } }),
  );
}

function apply(params: object, options: Parameters<typeof run>[1] = {}): readonly string[] {
  const changes = planned(params);
  for (const change of changes) {
    for (const { sha256, from } of change.blobs ?? []) copyFileSync(from[0] ?? '', at(sha256));
    const { exit, stderr } = run(change.run, options);
    expect({ id: change.id, exit, stderr: exit === 0 ? '' : stderr }).toEqual({ id: change.id, exit: 0, stderr: '' });
  }
  return changes.map(({ id }) => id);
}

const openssl = (...words: readonly string[]): string =>
  execFileSync('openssl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** A certificate of somebody else, with its key. */
function issue(name: string): { readonly certificate: string; readonly key: string } {
  const made = { certificate: at(`${name}.pem`), key: at(`${name}.key`) };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', made.key];
  openssl('req', '-x509', ...key, '-days', '90', '-out', made.certificate, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`);
  return made;
}

describe.each(shells)('%s', (shell) => {
  test('makes a certificate for every name, with a key for root alone, once', () => {
    expect(apply({ names }, { shell })).toEqual([`certificate:${at('www.crt')}`]);
    expect(planned({ names })).toEqual([]);
    expect([statSync(at('www.key')).mode & 0o777, statSync(at('www.crt')).mode & 0o777]).toEqual([0o600, 0o644]);
    expect(openssl('verify', '-CAfile', at('www.crt'), '-verify_hostname', 'www.example.org', at('www.crt'))).toContain('OK');
    expect(openssl('verify', '-CAfile', at('www.crt'), '-verify_ip', 'fd79::30', at('www.crt'))).toContain('OK');
  });
});

test('is renewed before it ends, over the same key', () => {
  apply({ names, days: 10, renew_before: 5 });
  const [key, certificate] = [readFileSync(at('www.key'), 'utf8'), readFileSync(at('www.crt'), 'utf8')];
  expect(planned({ names, days: 398, renew_before: 5 })).toEqual([]);
  expect(apply({ names })).toEqual([`certificate:${at('www.crt')}`]);
  expect(readFileSync(at('www.key'), 'utf8')).toBe(key);
  expect(readFileSync(at('www.crt'), 'utf8')).not.toBe(certificate);
  expect(planned({ names })).toEqual([]);
});

test('a key that others could read, or that is gone, or not its own', () => {
  apply({ names });
  chmodSync(at('www.key'), 0o644);
  expect(apply({ names })).toEqual([`attributes:${at('www.key')}`]);
  rmSync(at('www.key'));
  expect(apply({ names })).toEqual([`certificate:${at('www.crt')}`]);
  copyFileSync(issue('other').key, at('www.key'));
  expect(apply({ names })).toEqual([`certificate:${at('www.crt')}`]);
  expect(planned({ names })).toEqual([]);
});

test('a key never leaves the host', () => {
  apply({ names });
  chmodSync(at('www.key'), 0o644);
  const want = tlsCertificate.params.parse({ ...paths(), names });
  const [, secret = ''] = readFileSync(at('www.key'), 'utf8').split('\n');
  expect(secret.length).toBeGreaterThan(20);
  expect(run(tlsCertificate.probe(want)).stdout).not.toContain(secret);
});

test('your own, from files: the key is sent by itself and is in no plan', () => {
  const own = issue('shop.example.org');
  expect(planned({ own }).map(({ id }) => id)).toEqual([`key:${at('www.key')}`, `content:${at('www.crt')}`]);
  const [, secret = ''] = readFileSync(own.key, 'utf8').split('\n');
  expect(JSON.stringify(planned({ own }))).not.toContain(secret);
  apply({ own });
  expect(planned({ own })).toEqual([]);
  expect(readFileSync(at('www.key'))).toEqual(readFileSync(own.key));
  expect(statSync(at('www.key')).mode & 0o777).toBe(0o600);
});

test('your own key as a secret is put there only with its certificate', () => {
  const own = issue('shop.example.org');
  const params = { own: { certificate: own.certificate, key_text: secretSlot('key') } };
  const [change] = planned(params);
  expect(run((change as Change).run, { secret: readFileSync(issue('other').key, 'utf8') }).stderr).toContain(
    'not the one of the certificate',
  );
  apply(params, { secret: readFileSync(own.key, 'utf8') });
  expect(planned(params)).toEqual([]);
});

test('what would break a server is refused', () => {
  const [own, other] = [issue('a.example'), issue('b.example')];
  expect(() => planned({ own: { ...own, key: other.key } })).toThrow('is not the key of');
  expect(() => planned({ own: { ...own, certificate: own.key } })).toThrow('is no certificate');
  openssl('pkey', '-in', own.key, '-aes128', '-passout', 'pass:x', '-out', at('locked.key'));
  expect(() => planned({ own: { ...own, key: at('locked.key') } })).toThrow('without a password');
  writeFileSync(at('www.crt'), 'no certificate\n');
  expect(planned({ names })[0]?.was).toContain('cannot be read');
});

test('nginx is told where it serves it', () => {
  expect(planned({ names, nginx: {} }).map(({ notify }) => notify)).toEqual([['nginx.reload']]);
  expect(planned({ names }).map(({ notify }) => notify)).toEqual([undefined]);
});
