/** The probe on a host of which nothing but /etc, /var and its processes is its own, and what is made of it. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import otherManagers from '../../src/checks/other_managers.ts';
import type { Fleet } from '../../src/model.ts';
import { preamble } from '../../src/sh/frame.ts';
import { quote, renderSh } from '../../src/sh/sh.ts';
import { contextOf, fleet, hostNamed, staticFleet } from './support/fleet.ts';

/** Sleeps for two minutes under another name. */
const running = (name: string): string =>
  `cp -f /bin/sleep /var/${name}.new && mv /var/${name}.new /var/${name} && { /var/${name} 120 & } && until read -r comm </proc/$!/comm && [ "$comm" = ${name} ]; do sleep 0.1; done`;
const file = (path: string, text: string, mode = '644'): string =>
  `mkdir -p "$(dirname ${path})" && printf '%s\\n' ${quote(text)} >${path} && chmod ${mode} ${path}`;

function findings(prepare: readonly string[], among: Fleet = fleet, name = 'dr1') {
  const host = hostNamed(name, among);
  const probe = otherManagers.probe({}, host, among);
  if (!probe) throw new Error('it looks at every director and backend');
  const setup = [
    'mount -t tmpfs none /etc',
    'mount -t tmpfs none /var',
    ...prepare,
    'sleep 0.2',
    preamble,
    `( eval ${quote(renderSh(probe, String))} ) </dev/null`,
  ];
  const words = ['--user', '--map-root-user', '--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh'];
  const { stdout, stderr, status } = spawnSync('unshare', words, { input: setup.join('\n'), encoding: 'utf8' });
  const looks = [{ host, output: { stdout, stderr, exit: status ?? -1 } }];
  return otherManagers.expect(looks, {}, contextOf(among)).map(({ status: is, found, fix }) => ({ status: is, found, fix }));
}

const nobody = [{ status: 'pass', found: 'no other manager was found', fix: '' }];

test.each([
  ['a bare host', []],
  ['the one keepalived', [running('keepalived')]],
  [
    'what has nothing to do with the cluster',
    [
      file('/etc/crontab', '17 * * * * root run-parts /etc/cron.hourly\n*/5 * * * * root nginx -s reopen'),
      file('/etc/cron.d/other', '* * * * * root ping 110.18.43.30; ping 10.18.43.301'),
      file('/etc/rc.local', '#!/bin/sh\nhdparm -S 240 /dev/sda', '755'),
    ],
  ],
  ['comments', [file('/etc/cron.d/old', '# * * * * * root systemctl restart keepalived')]],
  [
    'jobs that lvsctl has written, and what cron passes over',
    [file('/etc/cron.d/lvsctl-check', '* * * * * root ipvsadm -Ln'), file('/etc/cron.d/a.dpkg-old', '* * * * * root ipvsadm -C')],
  ],
  ['a script at boot that is not run', [file('/etc/rc.local', 'ifconfig lo:0 10.18.43.30', '644')]],
])('nobody else: %s', (_, prepare) => {
  expect(findings(prepare)).toEqual(nobody);
});

test.each([
  [
    'a cron job',
    [file('/etc/cron.d/watch', '* * * * * root pgrep keepalived || systemctl start keepalived')],
    /^cron \/etc\/cron\.d\/watch: \* .*systemctl start keepalived$/,
  ],
  [
    'a table of root',
    [file('/var/spool/cron/crontabs/root', '@reboot ip addr add 10.18.43.30/32 dev lo')],
    /^cron \/var\/spool\/cron\/crontabs\/root: @reboot/,
  ],
  [
    'a script that a cron job runs',
    [
      file('/etc/checks/lvs.sh', '#!/bin/sh\nipvsadm -d -t 10.18.43.30:80 -r 10.18.43.13', '755'),
      file('/etc/crontab', '* * * * * root /etc/checks/lvs.sh >/dev/null'),
    ],
    /^cron runs \/etc\/checks\/lvs\.sh: ipvsadm -d/,
  ],
  [
    'rc.local',
    [file('/etc/rc.local', '#!/bin/sh\nifconfig lo:0 10.18.43.30 netmask 255.255.255.255', '755')],
    /^at boot \/etc\/rc\.local: ifconfig lo:0/,
  ],
  [
    'a script of init that is on',
    [
      file('/etc/init.d/realserver', '#!/bin/sh\necho 1 >/proc/sys/net/ipv4/conf/lo/arp_ignore', '755'),
      'mkdir /etc/rc3.d && ln -s ../init.d/realserver /etc/rc3.d/S99realserver',
    ],
    /^at boot \/etc\/rc3\.d\/S99realserver: echo 1/,
  ],
  [
    'Puppet',
    [file('/var/lib/puppet/state/resources.txt', 'file[/etc/motd]\nfile[/etc/keepalived/keepalived.conf]')],
    /^Puppet keeps file\[\/etc\/keepalived\/keepalived\.conf\]$/,
  ],
  ['ldirectord', [running('ldirectord')], /^ldirectord runs$/],
  ['pacemaker', [file('/var/lib/pacemaker/cib/cib.xml', '<nvpair name="ip" value="10.18.43.30"/>')], /^pacemaker has a VIP/],
  ['a second keepalived', [running('keepalived'), running('keepalived')], /^2 keepalived run, with PID \d+ and \d+$/],
])('%s is named, with what to do', (_, prepare, found) => {
  const all = findings(prepare);
  expect(all).toEqual([{ status: 'fail', found: expect.stringMatching(found), fix: expect.stringContaining('dr1') }]);
});

test.each([
  ['a table of anybody names', '/var/spool/cron/crontabs/ada', '/etc/checks/lvs.sh', ''],
  ['is a link', '/etc/crontab', '/etc/open/link.sh', 'ln -s /etc/checks/lvs.sh /etc/open/link.sh'],
  ['lies where anybody may put another', '/etc/crontab', '/etc/open/own.sh', 'cp -p /etc/checks/lvs.sh /etc/open/own.sh'],
])('nothing is shown of a script that %s: it may be a file that only root may read', (_, table, named, prepare) => {
  const script = file('/etc/checks/lvs.sh', '#!/bin/sh\nipvsadm -d -t 10.18.43.30:80 -r 10.18.43.13', '755');
  const places = ['chmod 755 /etc', 'mkdir /etc/open', 'chmod 777 /etc/open'];
  expect(findings([script, ...places, prepare, file(table, `* * * * * root ${named}`)])).toEqual(nobody);
});

test('where nothing is to be kept by keepalived, one is too many', () => {
  expect(findings([running('keepalived')], staticFleet, staticFleet.hosts.find(({ role }) => role === 'director')?.name)).toMatchObject([
    { status: 'fail', found: expect.stringMatching(/^keepalived runs/) },
  ]);
  expect(findings([running('keepalived')], fleet, 'web1')).toMatchObject([
    { status: 'fail', fix: 'systemctl disable --now keepalived on web1' },
  ]);
});

test('a Puppet that has been gone for weeks keeps nothing', () => {
  const state = '/var/lib/puppet/state/resources.txt';
  expect(findings([file(state, 'package[keepalived]'), `touch -d '8 days ago' ${state}`])).toEqual(nobody);
});
