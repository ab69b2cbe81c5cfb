/** The tasks `packet_mark`, `port_redirect` and `segment_size` in this machine's kernel, with nft and with iptables. Needs root, nftables and iptables. */
import { afterEach, describe, expect, test } from 'vitest';
import tunnel from '../../src/checks/tunnel.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import type { Change, Host } from '../../src/model.ts';
import { type Sh, sh } from '../../src/sh/sh.ts';
import type { AnyTask } from '../../src/task.ts';
import packetMark from '../../src/tasks/packet_mark.ts';
import portRedirect from '../../src/tasks/port_redirect.ts';
import segmentSize from '../../src/tasks/segment_size.ts';
import { contextOf } from '../checks/support/fleet.ts';
import { planContext } from '../support/plan-context.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';

const vip = '10.18.43.30';
let two: TwoHosts;
afterEach(() => two.close());

/** The shell of a host that does not have the tool. */
const without = (tool: string | undefined, script: Sh) =>
  tool === undefined
    ? script
    : sh`command() { [ "$2" != ${tool} ] && type "$2"; }
${script}`;

function open(): void {
  two = twoHosts(['10.18.43.10/24', `lo ${vip}/32`], ['10.18.43.20/24', '10.18.43.99/24']);
}

/** Live changes of the task as the host is now. */
function live(task: AnyTask, params: object, missing: string | undefined): readonly Change[] {
  const want = task.params.parse(params);
  const stdout = two.inside(without(missing, task.probe(want)));
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext()).filter(({ id }) => /^(live|stale):/.test(id));
}

function settle(task: AnyTask, params: object, missing: string | undefined): readonly string[] {
  const changes = live(task, params, missing);
  for (const { run } of changes) two.inside(run);
  for (const { run } of changes.filter(({ id }) => id.startsWith('live:'))) two.inside(run);
  expect(live(task, params, missing)).toEqual([]);
  return changes.map(({ id }) => id);
}

describe.each([undefined, 'nft'])('without %s', (missing) => {
  const place = (table: string) =>
    missing === undefined ? `ip lvsctl_${table} prerouting` : `iptables -t ${table === 'mark' ? 'mangle' : 'nat'} PREROUTING`;

  test('packets to the ports carry the mark, and no others', async () => {
    open();
    two.inside(
      `nft 'add table ip seen; add chain ip seen input { type filter hook input priority 0; }; add rule ip seen input meta mark 5 counter drop'`,
    );
    const both = { rules: [{ vip, mark: 5, ports: [{ port: 80 }, { port: 53, protocol: 'udp' }] }] };
    const packets = {
      http: `6 10.18.43.99 ${vip} 80`,
      dns: `17 10.18.43.99 ${vip} 53`,
      https: `6 10.18.43.99 ${vip} 443`,
      own: '6 10.18.43.99 10.18.43.10 80',
    };
    const unmarked = () => two.through(Object.values(packets));
    expect(await unmarked()).toEqual(Object.values(packets));
    expect(settle(packetMark, both, missing)).toEqual([
      `live:${place('mark')}:mark 5 for 80/tcp to ${vip}`,
      `live:${place('mark')}:mark 5 for 53/udp to ${vip}`,
    ]);
    expect(await unmarked()).toEqual([packets.https, packets.own]);
    expect(settle(packetMark, { rules: [{ vip, mark: 5, ports: [{ port: 80 }] }] }, missing)).toEqual([
      `stale:${place('mark')}:mark 5 for 53/udp to ${vip}`,
    ]);
    expect(await unmarked()).toEqual([packets.dns, packets.https, packets.own]);
  });

  test('who connects to the one port is answered by the other', () => {
    open();
    const serve = `import socket
s = socket.create_server(("0.0.0.0", 4000))
while True: s.accept()[0].send(b"from 4000")`;
    const ask = (port: number) =>
      two.outside(`/usr/bin/python3 -c 'import socket
try: print(socket.create_connection(("${vip}", ${port}), 5).recv(20))
except OSError: print("refused")'`);
    two.inside(
      `/usr/bin/python3 -c '${serve}' </dev/null >/dev/null 2>&1 & echo $! >/run/server; until ss -Htln sport = 4000 | grep -q .; do sleep 0.1; done`,
    );
    expect(ask(80)).toBe('refused\n');
    expect(settle(portRedirect, { rules: [{ address: vip, port: 80, to: 4000 }] }, missing)).toEqual([
      `live:${place('redirect')}:redirect 80/tcp of ${vip} to 4000`,
    ]);
    expect([ask(80), ask(81)]).toEqual(["b'from 4000'\n", 'refused\n']);
    settle(portRedirect, { rules: [] }, missing);
    expect(ask(80)).toBe('refused\n');
    two.inside('kill "$(cat /run/server)"');
  });

  test('clients send segments that fit into the tunnel, and shorter ones where they did', () => {
    open();
    const six = 'fd18:43::30';
    two.inside(`ip addr add ${six}/128 dev lo nodad; ip addr add fd18:43::10/64 dev eth0 nodad`);
    two.outside(`ip addr add fd18:43::20/64 dev eth0 nodad; ip route add ${six} via fd18:43::10`);
    two.inside(
      `/usr/bin/python3 -c 'import socket
s = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True: s.accept()[0].close()' </dev/null >/dev/null 2>&1 & echo $! >/run/server; until ss -Htln sport = 80 | grep -q .; do sleep 0.1; done`,
    );
    // TCP_MAXSEG of a connection: what the other side has asked for, less 12 bytes of timestamps.
    const asked = (address: string) =>
      Number(
        two.outside(`/usr/bin/python3 -c 'import socket
s = socket.create_connection(("${address}", 80), 5)
print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + 12)'`),
      );
    const tunnels = {
      rules: [
        { address: vip, rip: '10.18.43.10' },
        { address: six, rip: 'fd18:43::10' },
      ],
    };
    const own = (family: string) => (missing === undefined ? `${family} lvsctl_segments output` : `${family}tables -t mangle OUTPUT`);
    const names = (four: number, other: number) => [
      `${own('ip')}:segments of ${four} from ${vip}`,
      `${own('ip6')}:segments of ${other} from ${six}`,
    ];
    expect([asked(vip), asked(six), asked('10.18.43.10')]).toEqual([1460, 1440, 1460]);
    expect(verified()).toEqual(['fail', 'fail']);
    expect(settle(segmentSize, tunnels, missing)).toEqual(names(1440, 1400).map((each) => `live:${each}`));
    expect([asked(vip), asked(six), asked('10.18.43.10')]).toEqual([1440, 1400, 1460]);
    expect(verified()).toEqual(['pass', 'pass']);

    two.inside('ip link set eth0 mtu 1400');
    expect(verified()).toEqual(['fail', 'fail']);
    settle(segmentSize, tunnels, missing);
    expect([asked(vip), asked(six)]).toEqual([1340, 1300]);
    two.inside('ip link set eth0 mtu 1300');
    expect([asked(vip), asked(six)]).toEqual([1260, 1240]);

    settle(segmentSize, { rules: [] }, missing);
    expect(verified()).toEqual(['fail', 'fail']);
    two.inside(`ip route add 192.0.2.0/24 via 10.18.43.20 advmss 1240; kill "$(cat /run/server)"`);
    expect(verified()).toEqual(['pass', 'fail']);
  });
});

/** What the check makes of the segments of both VIPs. */
function verified(): readonly string[] {
  const { fleet } = parseInventory(
    `cluster: web
vrrp: { interface: eth0, instances: { A: { id: 51, vips: [${vip}] }, B: { id: 51, vips: ["fd18:43::30"] } } }
services:
  - { vip: ${vip}, port: 80, scheduler: rr, forward: tun }
  - { vip: "fd18:43::30", port: 80, scheduler: rr, forward: tun }
directors: { dr1: { address: 10.18.43.20, priority: 100, interfaces: { eth0: [10.18.43.20/24, "fd18:43::20/64"] } } }
backends: { web1: { address: 10.18.43.10, interfaces: { eth0: [10.18.43.10/24, "fd18:43::10/64"] } } }`,
    'web.yaml',
  );
  const host = fleet.hosts.find(({ name }) => name === 'web1') as Host;
  const script = tunnel.probe({}, host, fleet) ?? sh`:`;
  const look = { host, output: { stdout: two.inside(script), stderr: '', exit: 0 } };
  const findings = tunnel.expect([look], {}, contextOf(fleet));
  return findings.filter(({ found }) => /segments/.test(found)).map(({ status }) => status);
}
