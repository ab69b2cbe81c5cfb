import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { renderSh } from '../../../../src/sh/sh.ts';
import { parseVersion, versionFor, versionProbe } from '../../../../src/tasks/support/keepalived/version.ts';
import { planContext } from '../../../support/plan-context.ts';

const { facts: debian } = planContext();
const rocky = { ...debian, distribution: 'rocky', release: '9.4', packageManager: 'dnf' } as const;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-version-'));
  return () => rmSync(folder, { recursive: true });
});

/** What the probe makes of a host that has these programs; each says its text and exits 0. */
function look(programs: Readonly<Record<string, string>>) {
  for (const [name, says] of Object.entries(programs))
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >>"${folder}/asked"\ncat <<'END'\n${says}\nEND\n`, { mode: 0o755 });
  const text = renderSh(versionProbe, (value) => value);
  const { stdout } = spawnSync('/bin/dash', ['-c', text], { env: { PATH: `${folder}:/bin` }, encoding: 'utf8' });
  const asked = spawnSync('cat', [join(folder, 'asked')], { encoding: 'utf8' }).stdout;
  return { seen: parseVersion(stdout), asked };
}

/** As the real ones answer. */
const policy = (candidate: string) =>
  `keepalived:\n  Installed: (none)\n  Candidate: ${candidate}\n  Version table:\n     1:2.2.7-1+b2 500`;
const said = (version: string) => `Keepalived v${version} (01/16,2022)\n\nCopyright(C) 2001-2022 Alexandre Cassen`;

test('the installed one counts, and then no package manager is asked', () => {
  const { seen, asked } = look({ keepalived: said('2.2.4'), 'apt-cache': policy('1:2.3.3-1'), dnf: 'candidate 2.2.8-6.el9' });
  expect(asked).toBe('keepalived -v\n');
  expect(versionFor(seen, debian)).toBe('2.2.4');
});

test('before it is installed, what the package manager would install: of the two, the one of the distribution', () => {
  const { seen } = look({ 'apt-cache': policy('1:2.3.1-1~bpo12+1'), dnf: 'candidate 2.2.4-6.el9' });
  expect(versionFor(seen, debian)).toBe('2.3.1');
  expect(versionFor(seen, rocky)).toBe('2.2.4');
});

test('with empty lists of packages, what the distribution ships', () => {
  const { seen } = look({ 'apt-cache': policy('(none)'), dnf: '' });
  expect(versionFor(seen, debian)).toBe('2.2.7');
  expect(versionFor(seen, rocky)).toBe('2.2.8');
});

test('a version that an earlier step installs goes before all', () => {
  const { seen } = look({ keepalived: said('2.2.4') });
  expect(versionFor(seen, debian, '2.3.3')).toBe('2.3.3');
});
