import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { factsProbe, parseFacts } from '../../src/probe/facts.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { shells } from '../support/lint-shell.ts';
import { runIn } from '../support/run-shell.ts';

const facts = (...lines: readonly string[]) => parseFacts({ stdout: lines.map((line) => `${line}\n`).join(''), stderr: '', exit: 0 });

test.each([
  ['apt', ['os ID=debian', 'packages apt-get']],
  ['apt', ['os ID=debian', 'packages apt-get', 'packages dnf']],
  ['apt', ['os ID=linuxmint', 'os ID_LIKE="ubuntu debian"', 'packages apt-get', 'packages dnf']],
  ['dnf', ['os ID="rocky"', 'os ID_LIKE="rhel centos fedora"', 'packages apt-get', 'packages dnf']],
  ['dnf', ['packages dnf']],
  ['apt', ['packages apt-get']],
  ['none', ['os ID=debian']],
] as const)('its package manager is %s: %j', (manager, lines) => {
  expect(facts(...lines).packageManager).toBe(manager);
});

test.each([
  ['enforcing', ['selinux 1']],
  ['permissive', ['selinux 0']],
  ['disabled', ['selinux ']],
  ['disabled', []],
] as const)('SELinux is %s: %j', (mode, lines) => {
  expect(facts(...lines).selinux).toBe(mode);
});

test.each(shells)('%s: the mode of SELinux is read where the kernel shows it, which ends it with no newline', (shell) => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-facts-'));
  const here = { parts: [{ text: renderSh(factsProbe, String).replaceAll('/sys/fs/selinux', folder) }] };
  const mode = () => parseFacts(runIn(shell, here)).selinux;
  const before = mode();
  writeFileSync(join(folder, 'enforce'), '1');
  const after = mode();
  rmSync(folder, { recursive: true });
  expect([before, after]).toEqual(['disabled', 'enforcing']);
});

test.each(shells)('%s: this machine says what it is', (shell) => {
  const found = parseFacts(runIn(shell, factsProbe));
  expect(found).toMatchObject({
    architecture: expect.stringMatching(/./),
    kernel: expect.stringMatching(/^\d/),
    distribution: expect.any(String),
  });
  expect(found.interfaces.lo?.addresses).toContain('127.0.0.1/8');
});
