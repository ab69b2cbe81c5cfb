import { describe, expect, test } from 'vitest';
import arpSysctls from '../../src/checks/arp_sysctls.ts';
import { contextOf, fleetWith, hostNamed, look } from './support/fleet.ts';

type Values = Readonly<Record<string, readonly [ignore: number, announce: number]>>;

const types = (nics: readonly string[], flags: Readonly<Record<string, string>>): string =>
  nics.map((nic) => `value /sys/class/net/${nic}/type:1\nvalue /sys/class/net/${nic}/flags:${flags[nic] ?? '0x1003'}\n`).join('');

function judge(values: Values, files: Readonly<Record<string, string>> = {}, flags: Readonly<Record<string, string>> = {}) {
  const conf = Object.entries(values).map(
    ([nic, [ignore, announce]]) =>
      `value /proc/sys/net/ipv4/conf/${nic}/arp_ignore:${ignore}\nvalue /proc/sys/net/ipv4/conf/${nic}/arp_announce:${announce}\n`,
  );
  const nics = Object.keys(values).filter((nic) => nic !== 'all');
  const listing = Object.keys(files).map((path) => `file ${path}\n`);
  const contents = Object.entries(files).map(([path, content]) => `in ${path}\n${content.replace(/^/gm, '|')}\n`);
  const said = `${listing.join('')}${contents.join('')}live\n${conf.join('')}${types(nics, flags)}\nend\n`;
  const findings = arpSysctls.expect([look('web1', said)], {}, contextOf());
  return Object.fromEntries(findings.map(({ status, found }) => [found.replace(/ is .* (now|after a reboot)$/, ' $1'), status]));
}

const right: Values = { all: [1, 2], eth0: [0, 0] };
const kept = { '/etc/sysctl.d/90.conf': 'net.ipv4.conf.all.arp_ignore=1\nnet.ipv4.conf.all.arp_announce=2' };

describe('now', () => {
  test('the larger of "all" and the interface counts', () => {
    expect(judge(right)).toMatchObject({ 'arp_ignore now': 'pass', 'arp_announce now': 'pass' });
    expect(judge({ all: [0, 0], eth0: [1, 2] })).toMatchObject({ 'arp_ignore now': 'pass', 'arp_announce now': 'pass' });
  });

  test('one interface that answers is enough to fail', () => {
    expect(judge({ all: [0, 2], eth0: [1, 0], eth1: [0, 0] })).toMatchObject({ 'arp_ignore now': 'fail', 'arp_announce now': 'pass' });
  });

  test('interfaces that speak no ARP do not count', () => {
    expect(judge({ all: [0, 0], eth0: [1, 2], dummy0: [0, 0] }, {}, { dummy0: '0xc3' })).toMatchObject({ 'arp_ignore now': 'pass' });
  });

  test.each([
    [1, 'pass'],
    [2, 'pass'],
    [3, 'fail'],
    [8, 'fail'],
  ])('arp_ignore %i: %s', (ignore, status) => {
    expect(judge({ all: [ignore, 2], eth0: [0, 0] })).toMatchObject({ 'arp_ignore now': status });
  });

  test('lo alone does nothing', () => {
    expect(judge({ all: [0, 0], eth0: [0, 0], lo: [1, 2] })).toMatchObject({ 'arp_ignore now': 'fail', 'arp_announce now': 'fail' });
  });
});

describe('after a reboot', () => {
  test('what no file sets is lost', () => {
    expect(judge(right)).toMatchObject({ 'arp_ignore after a reboot': 'fail', 'arp_announce after a reboot': 'fail' });
    expect(judge(right, kept)).toMatchObject({ 'arp_ignore after a reboot': 'pass', 'arp_announce after a reboot': 'pass' });
  });

  test('a later file wins', () => {
    const leftover = { ...kept, '/etc/sysctl.d/99.conf': 'net.ipv4.conf.all.arp_ignore=0' };
    expect(judge(right, leftover)).toMatchObject({ 'arp_ignore after a reboot': 'fail', 'arp_announce after a reboot': 'pass' });
  });

  test('/etc/sysctl.conf wins where "sysctl -p" is run', () => {
    expect(judge(right, { ...kept, '/etc/sysctl.conf': 'net.ipv4.conf.all.arp_announce = 0' })).toMatchObject({
      'arp_announce after a reboot': 'fail',
    });
  });

  test('"default" is not relied on: the interface may be there before it is set', () => {
    expect(judge(right, { '/etc/sysctl.d/90.conf': 'net.ipv4.conf.default.arp_ignore=1' })).toMatchObject({
      'arp_ignore after a reboot': 'fail',
    });
  });

  test('the interface alone is enough, when it is the only one', () => {
    const own = { '/etc/sysctl.d/90.conf': 'net.ipv4.conf.eth0.arp_ignore=1\nnet/ipv4/conf/eth0/arp_announce=2' };
    expect(judge(right, own)).toMatchObject({ 'arp_ignore after a reboot': 'pass', 'arp_announce after a reboot': 'pass' });
  });
});

test('backends of NAT services keep no VIP', () => {
  expect(arpSysctls.probe({}, hostNamed('web1'), fleetWith({ forward: 'nat' }))).toBeUndefined();
});
