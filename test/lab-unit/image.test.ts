import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildProgress } from '../../src/lab/build-progress.ts';
import { imageKey } from '../../src/lab/image.ts';
import { imagePackages, repositoryPackages } from '../../src/lab/image-packages.ts';
import { imageScript } from '../../src/lab/image-script.ts';
import { aptSources } from '../../src/machine/apt-sources.ts';
import type { LabSettings } from '../../src/model.ts';
import { shellcheck, shells, syntaxErrors } from '../support/lint-shell.ts';

const bookworm: LabSettings = { release: 'bookworm', packages: [], memory: 384 };

describe('the machine’s own apt sources', () => {
  const targets = [
    'Packages|Debian|http://mirror.test/debian/|bookworm|main|$(SIGNED_BY)',
    'Packages|Debian|http://mirror.test/debian/|bookworm|contrib|$(SIGNED_BY)',
    'Packages|Debian|http://mirror.test/debian/|bookworm-updates|main|/usr/share/keyrings/debian.gpg',
    'Packages|Debian|http://mirror.test/security/|bookworm-security|main|$(SIGNED_BY)',
    'Packages|Debian|http://mirror.test/debian/|bookworm-backports|main|$(SIGNED_BY)',
    'Packages|Debian|cdrom:[Debian 12]/|bookworm|main|$(SIGNED_BY)',
    'Packages|Other vendor|https://packages.test/|bookworm|main|$(SIGNED_BY)',
    'Translations|Debian|http://mirror.test/debian/|bookworm|main|$(SIGNED_BY)',
  ].join('\n');

  test('serve the lab: release, updates and security of Debian, nothing else', () => {
    expect(aptSources(targets, 'bookworm')).toEqual([
      'deb http://mirror.test/debian/ bookworm main contrib',
      'deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.test/debian/ bookworm-updates main',
      'deb http://mirror.test/security/ bookworm-security main',
    ]);
  });

  test('serve another release too', () => {
    expect(aptSources(targets, 'trixie').map((line) => line.split(' ').at(-2))).toEqual(
      ['contrib', 'trixie-updates', 'trixie-security'].map((word, index) => (index === 0 ? 'main' : word)),
    );
  });

  test('without package lists: exit 4 and the command that fetches them', () => {
    expect(() => aptSources('Packages||http://mirror.test/debian/|bookworm|main|\n', 'bookworm')).toThrow(
      expect.objectContaining({ code: 'lab.apt-sources', exitCode: 4, hint: expect.stringContaining('apt-get update') }),
    );
  });
});

describe('the image', () => {
  test('has a key that changes with all that goes in, and with nothing else', () => {
    const key = imageKey(bookworm, '6.1');
    expect(imageKey({ ...bookworm, memory: 512 }, '6.1')).toBe(key);
    const others = [
      imageKey(bookworm, '6.2'),
      imageKey({ ...bookworm, release: 'trixie' }, '6.1'),
      imageKey({ ...bookworm, packages: ['firewalld'] }, '6.1'),
      imageKey({ ...bookworm, selinux: 'permissive' }, '6.1'),
    ];
    expect(new Set([key, ...others]).size).toBe(5);
    expect(key).toMatch(/^bookworm-[0-9a-f]{16}$/);
  });

  test('is bare: nothing that a deploy installs is in it, but all of that is in the repository', () => {
    const installed = imagePackages(bookworm);
    for (const name of ['keepalived', 'ipvsadm', 'gcc', 'make', 'libssl-dev']) {
      expect(installed).not.toContain(name);
      expect(repositoryPackages.flat()).toContain(name);
    }
    expect(installed.filter((name) => /nginx/.test(name))).toEqual([]);
  });

  test('has what the inventory says the real hosts have', () => {
    expect(imagePackages({ ...bookworm, packages: ['firewalld'], selinux: 'permissive' })).toEqual(
      expect.arrayContaining(['firewalld', 'iptables', 'selinux-policy-default']),
    );
  });

  test('names no registry or mirror anywhere in its sources', () => {
    const folder = new URL('../../src/lab/', import.meta.url);
    for (const file of [
      'image-script.ts',
      'image-packages.ts',
      'image.ts',
      '../machine/apt-sources.ts',
      '../machine/run.ts',
      '../apply/artefacts/debian-source.ts',
    ]) {
      expect(readFileSync(new URL(file, folder), 'utf8')).not.toMatch(/debian\.org|https?:\/\/[a-z]/);
    }
  });

  test('is finished by a script that every shell reads and ShellCheck passes', () => {
    const fragment = { name: 'image script', sh: { parts: [{ text: imageScript }] } };
    expect(shells.flatMap((shell) => syntaxErrors(shell, [fragment]))).toEqual([]);
    expect(shellcheck([fragment])).toEqual([]);
  });
});

describe('the progress of a build', () => {
  test('counts what apt counts, and starts again with each run of apt', () => {
    const step = buildProgress();
    const said = [
      'I: running apt-get update...',
      '0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.',
      'Get:2 http://mirror.test/debian bookworm/main amd64 libc6 amd64 2.36-9 [2,758 kB]',
      'Unpacking libc6:amd64 (2.36-9) ...',
      'Unpacking sudo (1.9.13) ...',
      'Setting up sudo (1.9.13) ...',
      'Created symlink /etc/systemd/system/a → /lib/b.',
      '0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.',
      'Unpacking gcc (12) ...',
    ].map(step);
    expect(said).toEqual([
      { stage: 'image', doing: 'running apt-get update' },
      undefined,
      { stage: 'image', doing: 'fetches libc6', done: 2, total: 3 },
      { stage: 'image', doing: 'unpacks libc6', done: 1, total: 3 },
      { stage: 'image', doing: 'unpacks sudo', done: 2, total: 3 },
      { stage: 'image', doing: 'sets up sudo', done: 1, total: 3 },
      undefined,
      undefined,
      { stage: 'image', doing: 'unpacks gcc', done: 1, total: 1 },
    ]);
  });

  test('never claims more than all', () => {
    const step = buildProgress();
    step('0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.');
    step('Setting up a (1) ...');
    expect(step('Setting up b (1) ...')).toEqual({ stage: 'image', doing: 'sets up b' });
  });
});
