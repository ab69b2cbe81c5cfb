/** What holds of firewalld, on a Debian that systemd has booted, with either backend: through reloads, restarts, a reboot and the way back. */
import { afterEach, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import type { AnyTask } from '../../src/task.ts';
import firewall from '../../src/tasks/firewall.ts';
import packetMark from '../../src/tasks/packet_mark.ts';
import portRedirect from '../../src/tasks/port_redirect.ts';
import { type ManagedHost, managedHost } from './managed-host.ts';
import { admitted, heardBy, inOrder, type Packet, withoutPings } from './needed-packets.ts';
import { cable, hold, type NetHost, runAt, through } from './two-hosts.ts';

let managed: ManagedHost | undefined;
let real: NetHost | undefined;

const open = async (backend: string, missing?: string): Promise<ManagedHost> => {
  const before = `systemctl -q disable ufw; sed -i 's/^FirewallBackend=.*/FirewallBackend=${backend}/' /etc/firewalld/firewalld.conf`;
  managed = await managedHost(before, missing);
  return managed;
};

/** All that loads its rules anew. */
const again = ['firewall-cmd --reload', 'firewall-cmd --complete-reload', 'systemctl reload firewalld', 'systemctl restart firewalld'];

/** What was kept before the first change, and how each is put back. */
const beforeOf = (task: AnyTask, params: object) => task.before?.(task.params.parse(params)) ?? [];
const record = (at: ManagedHost, task: AnyTask, params: object) =>
  beforeOf(task, params).forEach(({ record: keep }, index) => {
    at.run(`mkdir -p /srv/${index} && cd /srv/${index} && { ${renderSh(keep, String)}\n}`);
  });
const restore = (at: ManagedHost, task: AnyTask, params: object) => {
  const differ = () =>
    beforeOf(task, params).filter(
      (each, index) => at.run(`cd /srv/${index}; if (\n${renderSh(each.differs, String)}\n); then echo yes; fi`) !== '',
    );
  expect(differ()).not.toEqual([]);
  beforeOf(task, params).forEach((each, index) => {
    if (differ().some(({ resource }) => resource === each.resource)) at.run(`cd /srv/${index}; ${renderSh(each.restore, String)}`);
  });
  expect(differ()).toEqual([]);
};

/** One backend, in a file of its own: the two take as long as all else that is tested with real package managers. Needs root. */
export function testFirewalld(backend: 'nftables' | 'iptables'): void {
  afterEach(async () => {
    if (real) process.kill(real.pid);
    real = undefined;
    await managed?.close();
    managed = undefined;
  });

  test.each(Object.entries(admitted))('what a %s needs comes through, and nothing else', async (role, { want, packets: all }) => {
    const packets = withoutPings(all);
    const at = await open(backend);
    const heard = async () => withoutPings(await heardBy(at.two()));
    // Packets of IPv4 go through the zone that has their senders, those of IPv6 through that of the card.
    at.run('firewall-cmd --permanent --zone=internal --add-source=10.18.43.0/24 && firewall-cmd --reload');
    expect(await heard()).toEqual([]);
    // Zones know no addresses of the host: the port is open on all. A real server sees both halves of a connection.
    const half: Packet = 'end of a connection of which only this half comes by';
    const own: readonly Packet[] = ['http to the own address', 'too big to the own address'];
    const expected = inOrder(role === 'director' ? [...packets, ...own] : packets.filter((each) => each !== half));
    at.settle(firewall, want);
    expect(await heard()).toEqual(expected);
    for (const each of again) {
      at.run(each);
      expect([each, at.plan(firewall, want)]).toEqual([each, []]);
      expect([each, await heard()]).toEqual([each, expected]);
    }
    await at.reboot();
    expect(at.plan(firewall, want)).toEqual([]);
    expect(await heard()).toEqual(expected);
  });

  test('replies of real servers behind NAT are forwarded from zone to zone, and nothing else is', async () => {
    const at = await open(backend);
    real = hold();
    const behind = real;
    const join = () => {
      cable(at.host, 'eth1', ['10.18.44.10/24'], behind, ['10.18.44.13/24']);
      runAt(behind, 'ip route replace default via 10.18.44.10');
      at.run('sysctl -qw net.ipv4.ip_forward=1');
    };
    join();
    at.run('firewall-cmd --permanent --zone=internal --add-interface=eth1 && firewall-cmd --reload');
    // To a client; a port below zero is the sender's. 24 is PSH and ACK: of a connection that another director has begun.
    const sent = {
      reply: '6 10.18.44.13 10.18.43.99 -80 24',
      answer: '17 10.18.44.13 10.18.43.99 -53',
      'of another port': '6 10.18.44.13 10.18.43.99 -443 24',
      'other protocol': '17 10.18.44.13 10.18.43.99 -80',
    };
    const forwarded = async () => {
      const client = at.two().outer;
      const came = await through(behind, client, Object.values(sent), { from: at.host, words: '6 10.18.43.10 10.18.43.99 9 24' });
      return Object.entries(sent).flatMap(([name, words]) => (came.includes(words) ? [name] : []));
    };
    const service = (port: number, protocol: string) => ({
      vip: '10.18.43.30',
      ...{ port, protocol, forward: 'nat', real_servers: [{ rip: '10.18.44.13', port }] },
    });
    const want = { state: 'managed', role: 'director', services: [service(80, 'tcp'), service(53, 'udp')] };
    expect(await forwarded()).toEqual([]);
    record(at, firewall, want);
    at.settle(firewall, want);
    if (backend === 'iptables') expect(await forwarded()).toEqual(['reply', 'answer']);
    for (const each of again) {
      at.run(each);
      expect([each, at.plan(firewall, want)]).toEqual([each, []]);
      expect([each, await forwarded()]).toEqual([each, ['reply', 'answer']]);
    }
    runAt(behind, 'ip link del eth0 2>/dev/null || :');
    await at.reboot();
    join();
    expect(at.plan(firewall, want)).toEqual([]);
    expect(await forwarded()).toEqual(['reply', 'answer']);
    restore(at, firewall, want);
    expect(await forwarded()).toEqual([]);
    at.run('firewall-cmd --reload');
    expect(await forwarded()).toEqual([]);
  });

  test('marks and redirected ports outlive all that firewalld does, on a host without nft', async () => {
    const at = await open(backend, 'nft');
    const vip = '10.18.43.30';
    const marks = { rules: [{ vip, mark: 5, ports: [{ port: 80 }] }] };
    const redirects = { rules: [{ address: vip, port: 8080, to: 22 }] };
    const packets = { marked: `6 10.18.43.99 ${vip} 80`, redirected: `6 10.18.43.99 ${vip} 8080` };
    // Port 22 is open; what carries the mark is dropped here, so that it can be told.
    const seen = async () => {
      at.run(
        'nft "add table ip seen; flush table ip seen; add chain ip seen input { type filter hook input priority -5; }; add rule ip seen input meta mark 5 counter drop"',
      );
      at.run('firewall-cmd -q --add-port=80/tcp');
      const came = await at.two().through(Object.values(packets));
      return { marked: !came.includes(packets.marked), redirected: came.includes(packets.redirected) };
    };
    expect(await seen()).toEqual({ marked: false, redirected: false });

    // As a host is to which firewalld comes later: the unit makes them, and waits for firewalld at boot.
    at.run('systemctl stop firewalld');
    at.settle(packetMark, marks);
    expect(at.run('cat /etc/systemd/system/lvsctl-packet-mark.service')).toContain('iptables');
    await at.reboot();
    expect(await seen()).toEqual({ marked: true, redirected: false });

    record(at, packetMark, marks);
    at.settle(packetMark, marks);
    at.settle(portRedirect, redirects);
    expect(at.run('ls /etc/systemd/system')).not.toContain('lvsctl');
    for (const each of again) {
      at.run(each);
      expect([each, at.plan(packetMark, marks), at.plan(portRedirect, redirects)]).toEqual([each, [], []]);
      expect([each, await seen()]).toEqual([each, { marked: true, redirected: true }]);
    }
    await at.reboot();
    expect(await seen()).toEqual({ marked: true, redirected: true });
    at.settle(portRedirect, { rules: [] });
    expect(await seen()).toEqual({ marked: true, redirected: false });
    restore(at, packetMark, marks);
    expect(await seen()).toEqual({ marked: false, redirected: false });
  });
}
