/** Rules before routing as direct rules of firewalld: with iptables as its backend it flushes those of others at every start and reload. */
import { type Change, lines, type Sh, sh } from '../../../task.ts';
import { iptablesWords, type PacketRule } from './packet-rule.ts';

export interface DirectRules {
  /** Lines of `firewall-cmd --direct --get-all-rules`. */
  readonly live: readonly string[];
  readonly persisted: readonly string[];
}

/** Marks a direct rule as ours: one word, since firewalld shows others in quotes of its own. */
const comment = 'lvsctl';

/** Says nothing unless firewalld runs. */
export const directProbe: Sh = lines(
  sh`if [ -d /run/systemd/system ] && systemctl is-active -q firewalld.service; then`,
  sh`  printf 'tool firewalld\n'`,
  sh`  firewall-cmd --direct --get-all-rules | sed 's/^/live-direct|/'`,
  sh`  firewall-cmd --permanent --direct --get-all-rules | sed 's/^/persisted-direct|/'`,
  sh`fi`,
);

/** In the words of firewall-cmd. */
export function directWords(rule: PacketRule, table: string): readonly string[] {
  const words = iptablesWords(rule);
  const at = words.indexOf('--comment') + 1;
  return [
    rule.family === 'ip6' ? 'ipv6' : 'ipv4',
    table,
    'PREROUTING',
    '0',
    ...words.map((word, index) => (index === at ? comment : word)),
  ];
}

/** Now before for every start: until they have proven themselves, a reboot undoes them. */
export function directChanges(seen: DirectRules, rules: readonly PacketRule[], table: string): readonly Change[] {
  const wanted = rules.map((rule) => ({ name: rule.name, words: directWords(rule, table) }));
  return (['live', 'persisted'] as const).flatMap((when) => {
    const missing = wanted.filter(({ words }) => !seen[when].includes(words.join(' ')));
    const stale = seen[when].filter((line) => isOurs(line, table) && !wanted.some(({ words }) => words.join(' ') === line));
    return [
      ...missing.map(({ name, words }) => change(when, 'add', name, words)),
      ...stale.map((line) => change(when, 'remove', line, line.split(' '))),
    ];
  });
}

function isOurs(line: string, table: string): boolean {
  const [, in_, chain] = line.split(' ');
  return in_ === table && chain === 'PREROUTING' && line.includes(` --comment ${comment} `);
}

function change(when: 'live' | 'persisted', verb: 'add' | 'remove', name: string, words: readonly string[]): Change {
  const flags = when === 'live' ? [] : ['--permanent'];
  const text = `${words.join(' ')}\n`;
  return {
    id: `${verb === 'add' ? when : `stale-${when}`}:direct:${name}`,
    title: `${verb === 'add' ? name : `take ${name} out`}, as a direct rule of firewalld, ${when === 'live' ? 'now' : 'for every start'}`,
    was: verb === 'add' ? '' : text,
    will: verb === 'add' ? text : '',
    run: sh`firewall-cmd ${flags} --direct ${`--${verb}-rule`} ${words}`,
    risk: 'lockout',
    ...(verb === 'remove' && { takesAway: true }),
  };
}
