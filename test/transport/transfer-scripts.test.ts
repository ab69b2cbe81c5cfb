import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { giveScript, receiveScript } from '../../src/transport/transfer-scripts.ts';
import { shells } from '../support/shells.ts';

const hostile = `/tmp/-x '"$(touch harm)\n\`id\`;*`;
const scripts = {
  receive: receiveScript({ to: hostile, sha256: 'abc', mode: '600', nonce: 'nonce' }),
  give: giveScript(hostile, 'nonce'),
};

describe.each(Object.entries(scripts))('the script to %s', (_, script) => {
  it.each(shells.map((shell) => [shell.join(' '), shell] as const))('is read by %s', (_, [program, ...args]) => {
    const result = spawnSync(program, [...args, '-n'], { input: script, encoding: 'utf8' });
    expect([result.status, result.stderr]).toEqual([0, '']);
  });

  it('passes ShellCheck', () => {
    // SC2016: a value in single quotes that looks like an expansion is just what quoting is for.
    const result = spawnSync('shellcheck', ['-s', 'sh', '-e', 'SC2016', '-'], { input: script, encoding: 'utf8' });
    expect(result.stdout).toBe('');
    expect(result.status).toBe(0);
  });
});

describe('the sum', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lvsctl-sum-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Runs the script that gives a file where only these tools exist. */
  function giveWith(tools: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    for (const tool of tools) {
      const path = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
      symlinkSync(path, join(dir, tool));
    }
    writeFileSync(join(dir, 'file'), 'abc');
    const script = giveScript(join(dir, 'file'), 'nonce').replace(/^PATH=\S+;/m, `PATH=${dir};`);
    return spawnSync('/bin/sh', { input: script, encoding: 'utf8' });
  }

  // FIPS 180-2, example B.1
  const answer = `\nnonce ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3\nabc`;

  it('comes from sha256sum', () => {
    expect(giveWith(['cat', 'wc', 'sha256sum'])).toMatchObject({ status: 0, stdout: answer });
  });

  it('comes from openssl where there is no sha256sum', () => {
    expect(giveWith(['cat', 'wc', 'openssl'])).toMatchObject({ status: 0, stdout: answer });
  });

  it('is missed with a sentence where there is neither', () => {
    expect(giveWith(['cat', 'wc'])).toMatchObject({ status: 1, stdout: '', stderr: 'there is neither sha256sum nor openssl\n' });
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('abc');
  });
});
