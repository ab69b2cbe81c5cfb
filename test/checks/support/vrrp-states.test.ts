/** What a keepalived says when it is asked: the probe for real, against a process that answers as keepalived does. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { statesOf, statesProbe } from '../../../src/checks/support/vrrp-states.ts';
import { renderSh } from '../../../src/sh/sh.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Parts of what keepalived 2.2.7 wrote. */
const dump = `------< VRRP Topology >------
 VRRP Instance = web
   VRRP Version = 2
   State = MASTER
   Authentication type = SIMPLE_PASSWORD
   Password = 1111
 VRRP Instance = names
   State = FAULT
   Wantstate = FAULT
------< VRRP Scripts >------
 VRRP Script = good
   Status = GOOD
   State = idle
 VRRP Script = answers
   Status = BAD
   State = idle
------< VRRP Track processes >------
 VRRP Track process = nginx
   Have quorum = false
------< Interfaces >------
 Name = eth0
   State = UP, RUNNING
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-states-'));
  copyFileSync('/bin/bash', join(folder, 'keepalived'));
  writeFileSync(join(folder, 'dump'), dump);
  writeFileSync(
    join(folder, 'probe'),
    renderSh(telling(statesProbe), (value) => value),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `keepalived` is the script of the process that has its name; what it says in the end is told after the probe's answer. */
function ask([shell, ...options]: readonly [string, ...string[]], keepalived: string) {
  const script = `mount -t tmpfs run /run && mount --bind "$PWD" /mnt && mount -t tmpfs tmp /tmp && cd /mnt || exit 9
./keepalived -c ${JSON.stringify(`${keepalived}; echo ready; while :; do sleep 0.05; done`)} >/run/said & process=$!
echo $process >/run/keepalived.pid
until [ -s /run/said ]; do sleep 0.05; done
${[shell, ...options].join(' ')} ./probe
kill -0 $process && kill $process`;
  const ran = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'bash', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 50_000,
  });
  const said = heard(look('dr1', ran.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${ran.stdout}${ran.stderr}`);
  return { lives: ran.status === 0, text: ran.stdout, ...statesOf(said) };
}

test.each(shells.map((shell) => [shell.join(' '), shell] as const))('%s: states and what fails, and no password', (_, shell) => {
  const answer = ask(shell, "trap 'cat dump >/tmp/keepalived.data' USR1");
  expect(answer).toMatchObject({ lives: true, process: 'answered', failing: { scripts: ['answers'], processes: ['nginx'] } });
  expect([...answer.states]).toEqual([
    ['web', 'MASTER'],
    ['names', 'FAULT'],
  ]);
  expect(answer.text).not.toContain('1111');
});

test('one that does not wait for the signal is not asked, for that would end it', () => {
  expect(ask(shells[0] ?? ['sh'], ':')).toMatchObject({ lives: true, process: 'silent', states: new Map() });
});

test('what it wrote before is not taken for an answer', () => {
  expect(ask(shells[0] ?? ['sh'], 'cat dump >/tmp/keepalived.data; trap : USR1')).toMatchObject({ lives: true, process: 'silent' });
});
