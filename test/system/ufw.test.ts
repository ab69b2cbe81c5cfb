/** The task `firewall` with the ufw of a Debian that systemd has booted: through reloads, restarts, a reboot and the way back. Needs root. */
import { afterEach, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/firewall.ts';
import { type ManagedHost, managedHost } from './managed-host.ts';
import { admitted, heardBy, withoutPings } from './needed-packets.ts';

let managed: ManagedHost | undefined;
afterEach(() => managed?.close());

test.each(Object.entries(admitted))('what a %s needs comes through ufw, and nothing else', async (role, { want, packets: all }) => {
  const packets = withoutPings(all);
  const at = await managedHost('systemctl -q disable firewalld');
  managed = at;
  const heard = async () => withoutPings(await heardBy(at.two()));
  at.run('ufw allow 22/tcp && ufw --force enable');
  expect(await heard()).toEqual([]);

  // firewalld does not run, so nothing of its is kept or has to be put back.
  const before = task.before?.(task.params.parse(want)) ?? [];
  const inFolder = (index: number, script: string) => at.run(`mkdir -p /srv/${index} && cd /srv/${index} && ${script}`);
  const differs = () =>
    before
      .filter((each, index) => inFolder(index, `if (\n${renderSh(each.differs, String)}\n); then echo yes; fi`) !== '')
      .map(({ resource }) => resource);
  for (const [index, { record }] of before.entries()) inFolder(index, `{ ${renderSh(record, String)}\n}`);
  expect(differs()).toEqual([]);
  at.run('cp -p /etc/ufw/before.rules /etc/ufw/before6.rules /srv');
  expect(at.settle(task, want)).toContain('content:/etc/ufw/before.rules');
  expect(await heard()).toEqual(packets);

  // A restart is over before the units are that go along with it.
  const settled = 'until [ -z "$(systemctl list-jobs --no-legend)" ]; do sleep 0.1; done';
  for (const again of ['ufw reload', 'ufw disable && ufw --force enable', 'systemctl restart ufw', 'ufw allow 2222/tcp']) {
    at.run(`${again}\n${settled}`);
    expect([again, at.plan(task, want)]).toEqual([again, []]);
    expect([again, await heard()]).toEqual([again, packets]);
  }
  await at.reboot();
  expect(at.plan(task, want)).toEqual([]);
  expect(await heard()).toEqual(packets);

  at.settle(task, { ...want, services: [{ vip: '10.18.43.30', port: 53, protocol: 'udp', forward: 'tun' }] });
  const gone =
    role === 'director'
      ? /http|end of a connection|(too big|unreachable) over/
      : /http|end of a connection|too big|unreachable|another error|redirect/;
  const left = packets.filter((each) => !gone.test(each));
  expect(await heard()).toEqual(left);
  at.run('ufw reload');
  expect(await heard()).toEqual(left);

  at.settle(task, { state: 'managed', role: want.role });
  expect(await heard()).toEqual([]);
  at.run('cd /srv && cmp before.rules /etc/ufw/before.rules && cmp before6.rules /etc/ufw/before6.rules');
  expect(at.run('ls /etc/systemd/system')).not.toContain('lvsctl');
  at.settle(task, want);

  // The way back: unit, files, and what is in the kernel by then.
  at.run('systemctl stop lvsctl-firewall.service || :; cp -p /srv/before.rules /srv/before6.rules /etc/ufw');
  expect(differs()).toEqual(['firewall:ufw']);
  for (const { resource, restore } of before) if (resource === 'firewall:ufw') at.run(renderSh(restore, String));
  expect(differs()).toEqual([]);
  expect(await heard()).toEqual([]);
  at.run('ufw reload');
  expect(await heard()).toEqual([]);
});
