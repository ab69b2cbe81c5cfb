/** Every configuration that we write is right in the eyes of the keepalived of each Debian release. */
import { describe, expect, test } from 'vitest';
import { keepalivedConf } from '../../src/tasks/support/keepalived/conf.ts';
import { alarmPath, shippedScripts } from '../../src/tasks/support/keepalived/scripts.ts';
import { type DirectorCase, exampleCases, goldenCases } from '../support/keepalived-goldens.ts';
import { type KeepalivedRoot, keepalivedRoot, testConfiguration } from './keepalived-root.ts';

const cases = [...(await goldenCases()), ...(await exampleCases())];
const first = cases[0] as DirectorCase;

const verdict = (root: KeepalivedRoot, { fleet, host, want }: DirectorCase, edit = (text: string) => text) => {
  const nics = fleet.hosts.find(({ name }) => name === host)?.interfaces ?? [];
  const interfaces = Object.fromEntries(nics.map(({ name, addresses }) => [name, addresses]));
  return testConfiguration(root, edit(keepalivedConf(want, root.version)), interfaces, [...shippedScripts(want), alarmPath]);
};

describe.each([
  ['bookworm', '2.2.7'],
  ['trixie', '2.3.3'],
] as const)('keepalived of %s, %s', (release, version) => {
  const root = keepalivedRoot(release);

  test('is that version', () => expect(root.version).toBe(version));

  test.each(cases)('$name', (each) => expect(verdict(root, each)).toEqual({ exit: 0, says: '' }));

  test.each([
    ['an unknown keyword', (text: string) => text.replace('quorum 1', 'quorum 1\n    no_such_word 1')],
    ['an interface that is not there', (text: string) => text.replaceAll('eth0', 'eth7')],
    ['a virtual server without a protocol', (text: string) => text.replaceAll('    protocol TCP\n', '')],
  ])('%s is noticed', (_, edit) => expect(verdict(root, first, edit).exit).not.toBe(0));
});
