import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fingerprint,
  judge,
  keyType,
  knownHostsLine,
  knownKeys,
  knownName,
  namesMatch,
  parseKnownHosts,
} from '../../../src/transport/ssh/known-hosts.ts';
import { makeKey } from '../../support/sshd.ts';

let dir: string;
let ed25519: string;
let other: string;
let rsa: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lvsctl-known-'));
  ed25519 = makeKey(join(dir, 'one'), 'ed25519');
  other = makeKey(join(dir, 'two'), 'ed25519');
  rsa = makeKey(join(dir, 'three'), 'rsa');
});
afterAll(() => rmSync(dir, { recursive: true }));

const blob = (key: string): Buffer => Buffer.from(key.split(' ')[1] ?? '', 'base64');

/** Numbers of the lines that ssh-keygen finds for a name. */
function found(name: string, file: string): readonly number[] {
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]));
}

function matching(name: string, text: string): readonly number[] {
  return parseKnownHosts(text, 'f')
    .filter((entry) => namesMatch(entry.names, name))
    .map((entry) => entry.line);
}

describe('agrees with ssh-keygen', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1', '-', 'B'), minLength: 1, maxLength: 4 });
  const pattern = fc
    .tuple(
      fc.constantFrom('', '', '!'),
      fc.array(fc.oneof(word, fc.constantFrom('*', '?')), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '', ':2222'),
    )
    .map(([not, parts, port]) => `${not}${port ? `[${parts.join('')}]${port}` : parts.join('')}`);
  const names = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((all) => all.join(','));

  it('on plain, wildcard and negated patterns with and without port', () => {
    const file = join(dir, 'patterns');
    const check = (fields: string[], host: string, port: number): void => {
      const text = fields.map((field) => `${field} ${ed25519}\n`).join('');
      writeFileSync(file, text);
      expect(matching(knownName(host, port), text)).toEqual(found(knownName(host, port), file));
    };
    fc.assert(fc.property(fc.array(names, { minLength: 1, maxLength: 20 }), word, fc.constantFrom(22, 2222), check), { numRuns: 60 });
  });

  it('on hashed names', () => {
    const file = join(dir, 'hashed');
    const hosts = ['web1', '10.0.0.1', '[web1]:2222', '::1', '[::1]:2222'];
    writeFileSync(file, hosts.map((host) => `${host} ${ed25519}\n`).join(''));
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('web1');
    for (const [index, host] of hosts.entries()) {
      expect(matching(host, text)).toEqual([index + 1]);
      expect(matching(host, text)).toEqual(found(host, file));
    }
    expect(matching('web2', text)).toEqual([]);
  });

  it('on fingerprints', () => {
    for (const key of [ed25519, rsa]) {
      const file = join(dir, 'print.pub');
      writeFileSync(file, `${key}\n`);
      expect(execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' })).toContain(` ${fingerprint(blob(key))} `);
    }
  });
});

describe('lines', () => {
  it('passes over comments, blanks, unknown markers, broken keys and a type that is not the key’s, and keeps counting', () => {
    const text = [
      '# web1 ssh-ed25519 AAAA',
      '',
      `web1 ssh-rsa ${ed25519.split(' ')[1]}`,
      `@whatever web1 ${ed25519}`,
      'web1 ssh-ed25519 AAAA!',
      'web1 ssh-ed25519',
      `web1 1024 35 123456789`,
      `\t web1,10.0.0.1\t${ed25519}  a comment\r`,
    ].join('\n');
    expect(parseKnownHosts(text, 'f')).toEqual([
      { file: 'f', line: 8, marker: 'none', names: 'web1,10.0.0.1', type: 'ssh-ed25519', key: blob(ed25519) },
    ]);
  });

  it('survives any text', () => {
    const noise = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '@', '|', '1', '#', ',', 'a', '=', 'AAAA', '\u{1F600}', '[', ']:') });
    const check = (text: string, name: string): void => {
      for (const entry of parseKnownHosts(text, 'f')) namesMatch(entry.names, name);
      namesMatch(text, name);
    };
    fc.assert(fc.property(noise, noise, check));
  });

  it('gives back what a line of its own says', () => {
    const check = (host: string, port: number): void => {
      const line = knownHostsLine(host, port, blob(rsa));
      expect(judge(parseKnownHosts(`${line}\n`, 'f'), host, port, blob(rsa))).toEqual({ kind: 'known' });
    };
    fc.assert(fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), check));
  });

  it('has no type for what is no key', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => typeof keyType(Buffer.from(bytes)) === 'string'));
    expect(keyType(Buffer.from('no key at all'))).toBe('');
    expect(keyType(blob(ed25519))).toBe('ssh-ed25519');
  });
});

describe('verdict', () => {
  const verdict = (text: string, key: string, port = 22): unknown => judge(parseKnownHosts(text, 'f'), 'web1', port, blob(key));

  it('is unknown without a line that means the host', () => {
    expect(verdict('', ed25519)).toEqual({ kind: 'unknown' });
    expect(verdict(`web2 ${ed25519}`, ed25519)).toEqual({ kind: 'unknown' });
    expect(verdict(`web*,!web1 ${ed25519}`, ed25519)).toEqual({ kind: 'unknown' });
    expect(verdict(`[web1]:2222 ${ed25519}`, ed25519)).toEqual({ kind: 'unknown' });
  });

  it('is known when one of several lines has the key', () => {
    expect(verdict(`web1 ${rsa}\nweb1 ${other}\nWEB1 ${ed25519}`, ed25519)).toEqual({ kind: 'known' });
  });

  it('is changed by another key, of the same type first, and by a type never seen', () => {
    expect(verdict(`web1 ${rsa}\nweb1 ${other}`, ed25519)).toMatchObject({ kind: 'changed', entries: [{ line: 2 }, { line: 1 }] });
    expect(verdict(`web1 ${rsa}`, ed25519)).toMatchObject({ kind: 'changed', entries: [{ line: 1 }] });
  });

  it('ignores certificate authorities', () => {
    expect(verdict(`@cert-authority * ${ed25519}`, ed25519)).toEqual({ kind: 'unknown' });
  });

  it('is revoked even where the key is also known', () => {
    expect(verdict(`web1 ${ed25519}\n@revoked * ${ed25519}`, ed25519)).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
    expect(verdict(`web1 ${ed25519}\n@revoked * ${other}`, ed25519)).toEqual({ kind: 'known' });
    expect(verdict(`@revoked [web1]:2222 ${ed25519}`, ed25519, 2222)).toMatchObject({ kind: 'revoked' });
  });

  it('lets a line without port vouch for another port, but not accuse, and not overrule a line with the port', () => {
    expect(verdict(`web1 ${ed25519}`, ed25519, 2222)).toEqual({ kind: 'known' });
    expect(verdict(`web1 ${other}`, ed25519, 2222)).toEqual({ kind: 'unknown' });
    expect(verdict(`web1 ${ed25519}\n[web1]:2222 ${other}`, ed25519, 2222)).toMatchObject({ kind: 'changed', entries: [{ line: 2 }] });
  });

  it('knows a host by plain keys only', () => {
    const entries = parseKnownHosts(`@revoked web1 ${ed25519}\n@cert-authority web1 ${other}\nweb1 ${rsa}`, 'f');
    expect(knownKeys(entries, 'web1', 22).map((entry) => entry.type)).toEqual(['ssh-rsa']);
  });
});
