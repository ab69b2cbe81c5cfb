/**
 * Replies of real servers behind NAT, which firewalld must forward. With nftables as its backend a direct rule cannot admit what its own
 * chains reject later; a policy can (firewalld 0.9 and newer). A policy comes into force when firewalld starts or reloads, and not before.
 */
import { type Before, type Change, lines, type Sh, sh } from '../../../task.ts';
import type { Needs } from './needed-rules.ts';
import { familyOf } from './packet-rule.ts';

/** Ours alone; firewalld takes at most 17 letters. */
const policy = 'lvsctl-replies';

export interface Reply {
  readonly name: string;
  readonly title: string;
  /** As a rich rule of the policy. */
  readonly rule: string;
  /** As a direct rule. */
  readonly words: readonly string[];
}

export interface Policies {
  /** firewalld knows policies, and a direct rule would not do. */
  readonly wanted: boolean;
  /** Rich rules of ours; undefined where there is no such policy. */
  readonly live: readonly string[] | undefined;
  readonly persisted: readonly string[] | undefined;
}

/** The first packet that the director sees of a connection may be such a reply: it has taken over, or has forgotten an idle one. */
export function repliesOf({ director, services }: Pick<Needs, 'director' | 'services'>): readonly Reply[] {
  if (!director) return [];
  return services
    .filter(({ forward }) => forward === 'nat')
    .flatMap(({ protocol, real_servers }) =>
      real_servers.map(({ rip, port }) => {
        const family = familyOf(rip) === 'ip6' ? 'ipv6' : 'ipv4';
        const name = `replies of ${rip}:${port}/${protocol}`;
        const rule = `rule family="${family}" source address="${rip}" source-port port="${port}" protocol="${protocol}" accept`;
        const words = [family, 'filter', 'FORWARD', '0', '-s', rip, '-p', protocol, '--sport', String(port), '-j', 'ACCEPT'];
        return { name, title: `let ${name} through`, rule, words };
      }),
    );
}

/** One firewall-cmd where it knows no policies, else two. */
export const policiesProbe: Sh = sh`sed -n 's/^FirewallBackend=/backend|/p' /etc/firewalld/firewalld.conf
if firewall-cmd --get-policies >/dev/null 2>&1; then
  printf 'policies|known\n'
  firewall-cmd --info-policy=${policy} 2>/dev/null | sed 's/^/live-policy|/'
  firewall-cmd --permanent --info-policy=${policy} 2>/dev/null | sed 's/^/persisted-policy|/'
fi`;

/** Without a word of it in its file the backend of all that know policies is nftables. */
export function parsePolicies(of: (word: string) => readonly string[]): Policies {
  const rulesOf = (word: string) => {
    const text = of(word);
    return text.length === 0 ? undefined : text.filter((line) => line.startsWith('\t')).map((line) => line.trim());
  };
  const wanted = of('policies').includes('known') && !of('backend').some((word) => word.trim() === 'iptables');
  return { wanted, live: rulesOf('live-policy'), persisted: rulesOf('persisted-policy') };
}

export function policyChanges({ live, persisted }: Policies, replies: readonly Reply[]): readonly Change[] {
  if (replies.length === 0) return [];
  const missing = (rules: readonly string[]) => replies.filter(({ rule }) => !rules.includes(rule));
  return [
    ...(live ? missing(live).map((reply) => admit('live', reply)) : []),
    ...(persisted ? [] : [newPolicy]),
    ...missing(persisted ?? []).map((reply) => admit('persisted', reply)),
  ];
}

/** It is never reloaded by us: that drops rules that others have made for now only, and adverts as long as it takes. */
export function policyPending({ wanted, live }: Policies, replies: readonly Reply[]): readonly string[] {
  if (!wanted || live !== undefined || replies.length === 0) return [];
  return [
    `firewalld lets what real servers send first through as well (policy ${policy}); firewall-cmd --reload does so now, but drops rules made for now only`,
  ];
}

const newPolicy: Change = {
  id: `persisted:policy:${policy}`,
  title: `make the policy ${policy} for packets that are forwarded, for every start`,
  was: '',
  will: `${policy}: ANY to ANY\n`,
  run: sh`{ firewall-cmd --permanent --info-policy=${policy} >/dev/null 2>&1 || firewall-cmd --permanent --new-policy=${policy}; } &&
firewall-cmd --permanent --policy=${policy} --add-ingress-zone=ANY &&
firewall-cmd --permanent --policy=${policy} --add-egress-zone=ANY`,
  risk: 'lockout',
};

function admit(when: 'live' | 'persisted', { name, title, rule }: Reply): Change {
  return {
    id: `${when}:policy:${name}`,
    title: `${title}, ${when === 'live' ? 'now' : 'for every start'}`,
    was: '',
    will: `${rule}\n`,
    run: sh`firewall-cmd ${when === 'live' ? [] : ['--permanent']} --policy=${policy} ${`--add-rich-rule=${rule}`}`,
    risk: 'lockout',
  };
}

/** What is in force of a policy that goes is in force until the next reload, but empty. */
export function policyBefore(replies: readonly Reply[]): readonly Before[] {
  if (replies.length === 0) return [];
  const there = sh`[ -d /run/systemd/system ] && systemctl is-active -q firewalld.service && firewall-cmd --permanent --info-policy=${policy} >/dev/null 2>&1`;
  return [
    {
      resource: `firewall:firewalld policy ${policy}`,
      record: sh`if ${there}; then : >there; fi`,
      differs: sh`[ ! -e there ] && ${there}`,
      restore: lines(
        sh`firewall-cmd --info-policy=${policy} 2>/dev/null | sed -n 's/^\t\\(rule .*[^ ]\\) *$/\\1/p' | while IFS= read -r rule; do`,
        sh`  firewall-cmd --policy=${policy} --remove-rich-rule="$rule" || exit 1`,
        sh`done && firewall-cmd --permanent --delete-policy=${policy}`,
      ),
    },
  ];
}
