/** The tasks `packet_mark` and `port_redirect` in this machine's kernel, with nft and with iptables. Needs root, nftables and iptables. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/model.ts';
import { type Sh, sh } from '../../src/sh/sh.ts';
import type { AnyTask } from '../../src/task.ts';
import packetMark from '../../src/tasks/packet_mark.ts';
import portRedirect from '../../src/tasks/port_redirect.ts';
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
});
