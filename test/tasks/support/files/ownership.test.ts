/** Whose a configuration is, asked of real files, in every shell, and of the package manager of this machine. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asItCameProbe, isAsItCame, ownHead, refuseForeignFile } from '../../../../src/tasks/support/files/ownership.ts';
import { fileProbe, parseFile } from '../../../../src/tasks/support/files/seen-file.ts';
import { shells } from '../../../support/lint-shell.ts';
import { runIn } from '../../../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A configuration file of a package that is as the package has brought it. */
function untouched(): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's
  const listed = execFileSync('dpkg-query', ['-W', '-f', '${Conffiles}\n'], { encoding: 'utf8' });
  const files = [...listed.matchAll(/^ (\/\S+) ([0-9a-f]{32})$/gm)];
  const same = files.find(([, path = '', sum]) => {
    try {
      const text = execFileSync('md5sum', [path], { encoding: 'utf8' });
      return text.startsWith(`${sum} `) && parseFile(runIn('dash', fileProbe(path))).size > 0;
    } catch {
      return false;
    }
  });
  if (!same?.[1]) throw new Error('no package of this machine has a configuration file');
  return same[1];
}

const refusal = (path: string, takeOver = false): string => {
  const asItCame = isAsItCame(runIn('dash', asItCameProbe(path)).stdout);
  try {
    refuseForeignFile(parseFile(runIn('dash', fileProbe(path))), path, asItCame, { takeOver });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe.each(shells)('as it came, asked in %s', (shell) => {
  const says = (path: string): boolean => isAsItCame(runIn(shell, asItCameProbe(path)).stdout);

  test('what a package has brought is, unless somebody has changed it', () => {
    const path = untouched();
    expect(says(path)).toBe(true);
    copyFileSync(path, join(folder, 'copy'));
    expect(says(join(folder, 'copy'))).toBe(false);
  });

  test('what a build has brought is, as long as it is the copy beside it', () => {
    const path = join(folder, 'nginx.conf');
    writeFileSync(path, 'events {}\n');
    expect(says(path)).toBe(false);
    writeFileSync(`${path}.default`, 'events {}\n');
    expect(says(path)).toBe(true);
    writeFileSync(path, 'events { worker_connections 8; }\n');
    expect(says(path)).toBe(false);
  });
});

describe('what is written over unasked', () => {
  test.each([
    ['nothing', undefined],
    ['an empty file', '\n'],
    ["lvsctl's own", `${ownHead}\nuser nginx;\n`],
    ["lvsctl's own script", `#!/bin/sh\n${ownHead}\nexit\n`],
    ["lvsctl's own, changed since", `${ownHead}\nuser root;\n# mine\n`],
  ])('%s', (_, content) => {
    if (content !== undefined) writeFileSync(join(folder, 'file'), content);
    expect(refusal(join(folder, 'file'))).toBe('');
  });

  test('not what somebody has written, until somebody says so', () => {
    writeFileSync(join(folder, 'file'), '! Configuration File for keepalived\nvrrp_instance VI_1 {\n}\n');
    expect(refusal(join(folder, 'file'))).toBe(`${folder}/file is there, and lvsctl has not written it`);
    expect(refusal(join(folder, 'file'), true)).toBe('');
  });

  test('not one that is too large to have been read', () => {
    writeFileSync(join(folder, 'file'), 'x'.repeat(200_000));
    expect(refusal(join(folder, 'file'))).toMatch(/lvsctl has not written it/);
  });
});
