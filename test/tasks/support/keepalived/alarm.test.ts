import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { alarmScript } from '../../../../src/tasks/support/keepalived/scripts.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-alarm-'));
  return () => rmSync(folder, { recursive: true });
});

/** A program of this name that runs the shell text; what the script calls is looked for here first. */
function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

interface Segment {
  /** Lines of arping; absent: it is not of iputils. */
  readonly arping?: string;
  readonly stillOurs?: boolean;
  readonly address?: string;
}

/** What is logged, and with which words the user's own script runs. */
function becomesMaster({ arping, stillOurs = true, address = '10.0.0.30' }: Segment) {
  program('sleep', ':');
  program('ip', stillOurs ? 'echo 2: eth0' : ':');
  program('logger', `echo "$2 $6" >>${folder}/log`);
  program('arping', arping === undefined ? 'exit 1' : `[ "$1" != -V ] || { echo 'arping from iputils 20221126'; exit; }\n${arping}`);
  const own = program('two-masters.sh', `echo "$@" >${folder}/called`);
  const text = alarmScript('scripts/two-masters.sh').replace('/usr/libexec/keepalived/two-masters.sh', own);
  const script = program('alarm', text);
  const { status } = spawnSync('sh', [script, 'VI_1', address, 'eth0'], { env: { PATH: `${folder}:/usr/bin:/bin` } });
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  return { status, log: read('log'), called: read('called') };
}

const answer = "echo 'Unicast reply from 10.0.0.30 [02:4C:56:00:01:00]  1.2ms'; exit 1";

test('another host that answers for the VIP is an alert, and the script of the user runs', () => {
  expect(becomesMaster({ arping: answer })).toEqual({
    status: 0,
    log: 'daemon.alert VI_1: two masters: 02:4C:56:00:01:00 has 10.0.0.30 too\n',
    called: 'VI_1 10.0.0.30 02:4C:56:00:01:00\n',
  });
});

test.each<[string, Segment]>([
  ['nobody answers', { arping: ':' }],
  ['the VIP has gone back meanwhile', { arping: answer, stillOurs: false }],
])('nothing is said where %s', (_, segment) => {
  expect(becomesMaster(segment)).toEqual({ status: 0, log: '', called: '' });
});

test.each<[string, Segment, string]>([
  ['without arping of iputils', {}, 'arping of iputils is missing'],
  ['for IPv6', { arping: answer, address: 'fd00::30' }, 'there is no way for IPv6'],
])('what cannot be asked %s is said, and is no alert', (_, segment, why) => {
  const { log, called } = becomesMaster(segment);
  expect(log).toMatch(/^daemon\.warning VI_1: whether another host has/);
  expect(log).toContain(why);
  expect(called).toBe('');
});
