/** One rule on packets, in the words of nft and of iptables. */

export type Verdict = 'accept' | 'notrack' | { readonly mark: number } | { readonly redirect: number } | { readonly segments: number };

/** Of ICMP or ICMPv6, in the words of nft and of firewalld. */
export type Message = 'echo-request' | 'destination-unreachable' | 'packet-too-big';

/** In ICMP a packet that is too big is a code of an unreachable destination. */
const messageNumbers = {
  ip: { 'echo-request': '8', 'destination-unreachable': '3', 'packet-too-big': '3/4' },
  ip6: { 'echo-request': '128', 'destination-unreachable': '1', 'packet-too-big': '2' },
} as const;

export interface PacketRule {
  /** What it is for, unique among our rules of a chain; it is the rule's comment on the host: `80/tcp to 10.18.43.30`. */
  readonly name: string;
  readonly family: 'ip' | 'ip6';
  readonly hook: 'input' | 'forward' | 'output' | 'prerouting';
  /** Addresses; a prefix where there is one. */
  readonly from?: string;
  readonly to?: string;
  /** `tcp`, `udp`, or the number of an IP protocol: names differ between distributions. */
  readonly protocol: string;
  readonly port?: number;
  readonly sourcePort?: number;
  /** Of ICMP (1) or ICMPv6 (58) nothing but this. */
  readonly message?: Message;
  readonly verdict: Verdict;
}

export function familyOf(address: string): PacketRule['family'] {
  return address.includes(':') ? 'ip6' : 'ip';
}

/** Marks a rule as ours; what a host shows of it. */
export const ours = 'lvsctl: ';

export function commentOf(name: string): string {
  return `${ours}${name}`;
}

/** Without `nft add rule FAMILY TABLE CHAIN`. `both`: the table holds both families. */
export function nftWords(rule: PacketRule, both: boolean): readonly string[] {
  const { family, from, to, protocol, port, sourcePort, message, verdict } = rule;
  const transport = port !== undefined || sourcePort !== undefined || message !== undefined;
  return [
    ...(both && from === undefined && to === undefined ? ['meta', 'nfproto', family === 'ip' ? 'ipv4' : 'ipv6'] : []),
    ...(from === undefined ? [] : [family, 'saddr', from]),
    ...(to === undefined ? [] : [family, 'daddr', to]),
    ...(transport ? [] : ['meta', 'l4proto', protocol]),
    ...(port === undefined ? [] : [protocol, 'dport', String(port)]),
    ...(sourcePort === undefined ? [] : [protocol, 'sport', String(sourcePort)]),
    ...(message === undefined ? [] : [family === 'ip6' ? 'icmpv6' : 'icmp', 'type', message]),
    ...nftVerdict(verdict),
    'comment',
    `"${commentOf(rule.name)}"`,
  ];
}

function nftVerdict(verdict: Verdict): readonly string[] {
  if (typeof verdict === 'string') return [verdict];
  if ('mark' in verdict) return ['meta', 'mark', 'set', String(verdict.mark)];
  if ('redirect' in verdict) return ['redirect', 'to', `:${verdict.redirect}`];
  return ['tcp', 'flags', '&', '(syn|rst)', '==', 'syn', 'tcp', 'option', 'maxseg', 'size', 'set', String(verdict.segments)];
}

/** Without `iptables -A CHAIN`. */
export function iptablesWords({ name, family, from, to, protocol, port, sourcePort, message, verdict }: PacketRule): readonly string[] {
  return [
    ...(from === undefined ? [] : ['-s', from]),
    ...(to === undefined ? [] : ['-d', to]),
    ...['-p', protocol],
    ...(port === undefined ? [] : ['--dport', String(port)]),
    ...(sourcePort === undefined ? [] : ['--sport', String(sourcePort)]),
    ...(message === undefined ? [] : icmpWords(family, message)),
    ...['-m', 'comment', '--comment', commentOf(name)],
    ...iptablesVerdict(verdict),
  ];
}

/** Types by number: not every version knows their names. */
export function icmpWords(family: PacketRule['family'], message: Message): readonly string[] {
  const number = messageNumbers[family][message];
  return family === 'ip6' ? ['-m', 'icmp6', '--icmpv6-type', number] : ['-m', 'icmp', '--icmp-type', number];
}

function iptablesVerdict(verdict: Verdict): readonly string[] {
  if (verdict === 'accept') return ['-j', 'ACCEPT'];
  if (verdict === 'notrack') return ['-j', 'CT', '--notrack'];
  if ('mark' in verdict) return ['-j', 'MARK', '--set-mark', String(verdict.mark)];
  if ('redirect' in verdict) return ['-j', 'REDIRECT', '--to-ports', String(verdict.redirect)];
  return ['-m', 'tcp', '--tcp-flags', 'SYN,RST', 'SYN', '-j', 'TCPMSS', '--set-mss', String(verdict.segments)];
}
