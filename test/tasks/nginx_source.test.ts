import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/model.ts';
import nginxSource from '../../src/tasks/nginx_source.ts';
import { planContext } from '../support/plan-context.ts';

const example = nginxSource.example;
const bare = nginxSource.parse({ stdout: 'binary none\n', stderr: '', exit: 0 }, example);

function artefactOf(params: object = {}, facts: Partial<Facts> = {}) {
  const want = nginxSource.params.parse({ ...example, ...params });
  const [change] = nginxSource.plan(bare, want, planContext({ facts }));
  if (!change?.consumes) throw new Error('nothing is built');
  return change.consumes;
}

const complaint = (params: object): string =>
  JSON.stringify(nginxSource.params.safeParse({ ...example, ...params }).error?.issues ?? 'accepted');

describe('versions', () => {
  test.each(['1.14.0', '1.18.0', '1.20.1', '0.8.54'])('%s is refused, with the reason', (version) => {
    expect(complaint({ version })).toContain('versions below 1.20.2 do not compile on current systems');
  });

  test.each(['1.20.2', '1.26.3', '2.0.0'])('%s is accepted', (version) => {
    expect(complaint({ version })).toBe('"accepted"');
  });
});

test.each([
  '--prefix=/opt',
  '--user=root',
  '--sbin-path=/sbin/nginx',
  '--conf-path=/etc/nginx.conf',
  'with-debug',
  '--with-cc-opt=$(id)',
  "--with-cc-opt='-O2'",
  '--with-cc=`which gcc`',
  '--with-debug\n--help',
  '--with-cc-opt=-O2  -g',
])('the flag %j is refused: configure would not take it as it is', (flag) => {
  expect(complaint({ configure: [flag] })).not.toBe('"accepted"');
});

describe('the key of a build', () => {
  const key = (params: object = {}, facts: Partial<Facts> = {}): string => artefactOf(params, facts).key;

  test('is the same for the same inputs, in whatever order the flags come', () => {
    expect(key({ configure: [...example.configure].reverse() })).toBe(key());
    expect(key({ sources: ['/elsewhere/nginx.tar.gz'], on: 'each' })).toBe(key());
  });

  test.each<[string, object, Partial<Facts>]>([
    ['version', { version: '1.28.0' }, {}],
    ['source', { sha256: '0'.repeat(64) }, {}],
    ['flags', { configure: [...example.configure, '--with-debug'] }, {}],
    ['prefix', { prefix: '/opt/nginx' }, {}],
    ['user', { user: 'www' }, {}],
    ['group', { group: 'www' }, {}],
    ['build packages', { build_packages: ['gcc-12'] }, {}],
    ['distribution', {}, { distribution: 'ubuntu' }],
    ['release', {}, { release: '13' }],
    ['architecture', {}, { architecture: 'aarch64' }],
  ])('differs with another %s', (_, params, facts) => {
    expect(key(params, facts)).not.toBe(key());
  });

  test('outlives a minor release of the Red Hat family, whose binaries stay good', () => {
    expect(key({}, { distribution: 'rocky', release: '9.5' })).toBe(key({}, { distribution: 'rocky', release: '9.4' }));
    expect(key({}, { distribution: 'ubuntu', release: '24.10' })).not.toBe(key({}, { distribution: 'ubuntu', release: '24.04' }));
  });

  test('is a safe file name, whatever a host calls itself', () => {
    expect(key({}, { distribution: '../../etc', release: '$(id)\n', architecture: '' })).toMatch(/^nginx-[A-Za-z0-9._-]+$/);
  });
});

test('the source travels by its checksum', () => {
  const sha256 = createHash('sha256').update('source').digest('hex');
  expect(artefactOf({ sha256, sources: ['a.tar.gz', 'https://example.com/a.tar.gz'] }).sources).toEqual([
    { sha256, name: 'nginx-1.26.3.tar.gz', from: ['a.tar.gz', 'https://example.com/a.tar.gz'] },
  ]);
});
