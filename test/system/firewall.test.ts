/**
 * The task `firewall` with firewalls of every kind but firewalld that drop all, in this machine's kernel: what the cluster needs comes
 * through afterwards, and nothing else does. Needs root, nftables and iptables.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/model.ts';
import task from '../../src/tasks/firewall.ts';
import { firewallBootUnit } from '../../src/tasks/support/firewall/chains.ts';
import { neededRules } from '../../src/tasks/support/firewall/needed-rules.ts';
import { planContext } from '../support/plan-context.ts';
import { admitted, heardBy, inner, outer, toVip6 } from './needed-packets.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';

/** All but ssh, as an administrator would write it. */
const firewalls: Readonly<Record<string, string>> = {
  'nft, one table for both families': `nft -f - <<'X'
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state invalid drop
    ct state established,related accept
    iif lo accept
    meta l4proto ipv6-icmp accept
    tcp dport 22 accept
  }
  chain output { type filter hook output priority filter; policy accept; }
}
X`,
  'nft, a table for each family, which end in a jump': `nft -f - <<'X'
flush ruleset
table ip fw {
  chain end { counter log prefix "no: " reject with icmp type admin-prohibited; }
  chain in { type filter hook input priority 10; policy accept; ct state invalid drop; ct state related accept; tcp dport 22 accept; jump end; }
}
table ip6 fw {
  chain in { type filter hook input priority 0; policy drop; ct state invalid drop; meta l4proto ipv6-icmp accept; }
}
X`,
  ...Object.fromEntries(
    ['nft', 'legacy'].map((kind) => [
      `iptables-${kind}`,
      `${['iptables', 'ip6tables']
        .map(
          (tool) => `${tool}-${kind}-restore <<'X'
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -j DROP
COMMIT
X`,
        )
        .join('\n')}`,
    ]),
  ),
};

let hosts: TwoHosts | undefined;
afterEach(() => hosts?.close());

/** Systemd's words of a unit as the shell's. */
const unitShell = (line: string): string =>
  line
    .replace(/^-/, '')
    .replace(/\$\$/g, '$')
    .replace(/%%/g, '%')
    .replace(/^\/bin\/sh -c "(.*)"$/s, (_, inner: string) => inner.replace(/\\x0a/g, '\n').replace(/\\(["\\])/g, '$1'));

describe.each(Object.entries(firewalls))('%s', (_, load) => {
  test.each(Object.entries(admitted))('what a %s needs comes through, and nothing else', async (_role, { want: asked, packets }) => {
    const two = twoHosts(inner, outer);
    hosts = two;
    two.outside(toVip6);
    two.inside(load);
    const want = task.params.parse(asked);
    const look = () => task.parse({ stdout: two.inside(task.probe(want)), stderr: '', exit: 0 }, want);
    const live = (): readonly Change[] => task.plan(look(), want, planContext()).filter(({ id }) => /^(live|stale):/.test(id));
    const heard = () => heardBy(two);

    expect(await heard()).toEqual([]);
    const changes = live();
    for (const { run } of changes) two.inside(run);
    expect(await heard()).toEqual(packets);
    expect(live()).toEqual([]);
    for (const { run } of changes) two.inside(run);

    // What loads the rules anew takes ours away; our unit brings them back, and can be rid of them.
    const unit = firewallBootUnit(look().chains, neededRules({ ...want, director: want.role === 'director' }));
    two.inside(load);
    two.inside(unit.start.map(unitShell).join('\n'));
    two.inside(unit.start.map(unitShell).join('\n'));
    expect(live()).toEqual([]);
    expect(await heard()).toEqual(packets);
    two.inside(unit.stop.map(unitShell).join('\n'));
    expect(
      live()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(changes.map(({ id }) => id).sort());
    expect(await heard()).toEqual([]);
  });
});
