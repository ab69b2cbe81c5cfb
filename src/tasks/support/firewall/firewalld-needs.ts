/** What the cluster needs, in firewalld's words: ports for whole zones, rich rules for protocols, direct rules for what zones cannot say. */

import type { Admission } from './firewalld.ts';
import type { Admissions } from './firewalld-changes.ts';
import { repliesOf } from './firewalld-replies.ts';
import { ends, errorsTo, halves, type Needs, overIPv6, pingers, questions, syncPort } from './needed-rules.ts';
import { familyOf, icmpWords, type Message } from './packet-rule.ts';

/** Ports on every host; on directors also adverts of the peers, IGMP for the multicast group they come by, and no tracking of half connections. */
export function firewalldNeeds(needs: Needs): Pick<Admissions, 'rules' | 'direct' | 'replies'> {
  const { director, services, vrrp_peers, sync, directors } = needs;
  const served = services.flatMap(({ port, protocol, forward, real_servers }) => [
    ...(director || forward !== 'nat' || real_servers.length === 0 ? [`${port}/${protocol}`] : []),
    ...(director ? [] : real_servers.map(({ port: real }) => `${real}/${protocol}`)),
  ]);
  const open = [...served.map(portOf), ...(director ? [] : questions(needs).map(askedFrom))];
  const tunnelled = director
    ? []
    : services.filter(({ forward }) => forward === 'tun').map(({ vip }) => (familyOf(vip) === 'ip6' ? '41' : '4'));
  const rules: readonly Admission[] = [
    ...new Map(open.map((rule) => [rule.name, rule])).values(),
    ...(director ? vrrp_peers.map((peer) => fromPeer(`vrrp from ${peer}`, peer, 'protocol value="vrrp"', 'vrrp')) : []),
    ...(director && vrrp_peers.length > 0 && overIPv6(needs)
      ? [fromPeer('vrrp on the link', 'fe80::/10', 'protocol value="vrrp"', 'vrrp')]
      : []),
    ...(director && vrrp_peers.length > 0 ? [igmp] : []),
    ...(director && sync ? vrrp_peers.map((peer) => fromPeer(`sync from ${peer}`, peer, `port port="${syncPort}" protocol="udp"`)) : []),
    ...(director ? errorsOf(services).map(errorTo) : []),
    ...(director ? [] : pingers(needs).map(echoFrom)),
    ...[...new Set(tunnelled)].flatMap((protocol) =>
      ends(directors, protocol).map((from) =>
        fromPeer(`tunnel (${protocol}) from ${from}`, from, `protocol value="${protocol}"`, protocol),
      ),
    ),
  ];
  const direct = [...services.filter(({ forward }) => forward !== 'nat').map(untracked), ...errorsOf(services).map(untrackedError)];
  return { rules, direct: director ? direct : [], replies: repliesOf(needs) };
}

interface ErrorTo {
  readonly vip: string;
  readonly message: Message;
}

function errorsOf(services: Needs['services']): readonly ErrorTo[] {
  return halves(services).flatMap((vip) => errorsTo(vip).map((message) => ({ vip, message })));
}

/** A director in DR and TUN sees one half of a connection; in NAT the replies pass through it. */
function untracked({ vip, port, protocol }: Needs['services'][number]): Admissions['direct'][number] {
  const name = `${vip}:${port}/${protocol}`;
  const words = [...toVip(vip, protocol), '--dport', String(port), ...notrack];
  return { name, words, title: `do not track connections to ${name}`, why: 'a director sees only one half of them' };
}

/** It would be "invalid", since it is about a connection that nothing tracks. */
function untrackedError({ vip, message }: ErrorTo): Admissions['direct'][number] {
  const name = `${message} to ${vip}`;
  const words = [...toVip(vip, icmpOf(vip)), ...icmpWords(familyOf(vip), message), ...notrack];
  return { name, words, title: `do not track ${name}`, why: 'it is about connections that are not tracked' };
}

const notrack = ['-j', 'CT', '--notrack'];

function toVip(vip: string, protocol: string): readonly string[] {
  return [familyOf(vip) === 'ip6' ? 'ipv6' : 'ipv4', 'raw', 'PREROUTING', '0', '-d', vip, '-p', protocol];
}

function portOf(rule: string): Admission {
  return { name: rule, kind: 'port', rule };
}

function askedFrom({ from, port, protocol }: ReturnType<typeof questions>[number]): Admission {
  const what = `${port}/${protocol}`;
  return from === undefined ? portOf(what) : fromPeer(`${what} from ${from}`, from, `port port="${port}" protocol="${protocol}"`);
}

const igmp: Admission = { name: 'igmp', kind: 'rich-rule', rule: 'rule protocol value="igmp" accept', protocol: 'igmp' };

/** Zones admit pings unless an administrator has blocked them, or all that is not named (`icmp-block-inversion`, the target DROP). */
function echoFrom(from: string): Admission {
  return fromPeer(`ping from ${from}`, from, 'icmp-type name="echo-request"', icmpOf(from));
}

/** As pings: in most zones there is nothing to admit, but an error that is tracked gets past them, and this one has to. */
function errorTo({ vip, message }: ErrorTo): Admission {
  const family = familyOf(vip) === 'ip6' ? 'ipv6' : 'ipv4';
  const rule = `rule family="${family}" destination address="${vip}" icmp-type name="${message}" accept`;
  return { name: `${message} to ${vip}`, kind: 'rich-rule', rule, protocol: icmpOf(vip) };
}

function icmpOf(address: string): string {
  return familyOf(address) === 'ip6' ? 'ipv6-icmp' : 'icmp';
}

function fromPeer(name: string, peer: string, what: string, protocol?: string): Admission {
  const family = familyOf(peer) === 'ip6' ? 'ipv6' : 'ipv4';
  const rule = `rule family="${family}" source address="${peer}" ${what} accept`;
  return { name, kind: 'rich-rule', rule, from: peer, ...(protocol && { protocol }) };
}
