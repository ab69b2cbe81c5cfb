/** What the probe of `sync_daemon` makes of ipvsadm's words and of the kernel's list, under every shell. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { countConnections, daemonProbe, syncSeen } from '../../../src/checks/support/sync-daemons.ts';
import { renderSh } from '../../../src/sh/sh.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-sync-'));
  return () => rmSync(folder, { recursive: true });
});

const list = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires
TCP 0A122B32 A001 0A122B1E 0050 0A122B0D 0050 ESTABLISHED LOCAL      899
TCP 0A122B32 A002 0A122B1E 0050 0A122B0D 0050 FIN_WAIT    LOCAL      100
TCP 0A122B32 A003 0A122B1E 0050 0A122B0D 0050 TIME_WAIT   LOCAL      100
TCP 0A122B32 A004 0A122B1E 0050 0A122B0D 0050 FIN_WAIT    SYNC       100
TCP 0A122B32 0000 0A122B1E 0050 0A122B0D 0050 NONE        LOCAL       49
UDP 0A122B32 A005 0A122B1E 0035 0A122B0D 0035 UDP         SYNC       300
`;

function probe([shell, ...options]: readonly [string, ...string[]], ipvsadm: string) {
  writeFileSync(join(folder, 'ipvsadm'), `#!/bin/sh\n${ipvsadm}\n`);
  chmodSync(join(folder, 'ipvsadm'), 0o755);
  writeFileSync(join(folder, 'list'), list);
  const input = renderSh(telling(daemonProbe, countConnections(join(folder, 'list'))), (value) => value);
  const { stdout } = spawnSync(shell, options, { input, encoding: 'utf8', env: { PATH: `${folder}:${process.env.PATH}`, LC_ALL: 'C' } });
  const said = heard(look('dr1', stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${stdout}`);
  return syncSeen(said);
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('daemons and connections are told', () => {
    const said = "echo 'master sync daemon (mcast=eth0, syncid=65, maxlen=1472)'; echo 'backup sync daemon (mcast=eth1, syncid=66)'";
    expect(probe(shell, said)).toEqual({
      daemons: [
        { role: 'master', interface: 'eth0', syncId: 65 },
        { role: 'backup', interface: 'eth1', syncId: 66 },
      ],
      connections: { closing: 2, synced: 1 },
    });
  });

  test('none is not the same as one that could not be asked for', () => {
    expect(probe(shell, ':')?.daemons).toEqual([]);
    expect(probe(shell, 'echo "Can\'t initialize ipvs" >&2; exit 255')).toBeUndefined();
  });
});

test('how long the daemon of a backup has run', () => {
  const name = join(folder, 'ipvs-b:0:0');
  copyFileSync('/bin/sleep', name);
  const daemon = spawn(name, ['60']);
  try {
    const age = probe(shells[0] ?? ['sh'], ':')?.age;
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60);
  } finally {
    daemon.kill();
  }
});
