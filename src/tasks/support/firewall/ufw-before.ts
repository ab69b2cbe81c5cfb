/**
 * ufw's own files for rules that its commands cannot say (protocol 112, what must come before "invalid"): ours stand between two marks
 * in the table filter of before.rules. They are loaded at the next start of ufw; it is never reloaded by us.
 */
import { type Before, type Change, type PlanContext, quote, refuse, type Sh, sh } from '../../../task.ts';
import { fileChange, type SeenFile } from '../files/write-file.ts';
import { iptablesWords, ours, type PacketRule } from './packet-rule.ts';
import { type RuleChain, rulesFor } from './rule-chain.ts';

export const ufwPaths = ['/etc/ufw/before.rules', '/etc/ufw/before6.rules'] as const;

const begin = '# BEGIN lvsctl: changes in here are overwritten';
const end = '# END lvsctl';

const chains = ['input', 'output', 'forward'] as const;

/** Of the chain that ufw loads from there. */
export function isUfwChain({ chain }: RuleChain): boolean {
  return chains.some((each) => chain === `ufw-before-${each}` || chain === `ufw6-before-${each}`);
}

/** The files are put back as they were; ufw does not read them again before its next start, so what they have led to goes by itself. */
export const ufwBefore: Before = {
  resource: 'firewall:ufw',
  record: sh`:`,
  differs: sh`${ourLines()} | grep -q .`,
  restore: sh`${ourLines()} | while read -r tool rule; do
  printf '%s\n' "$rule" | xargs "$tool" -w || exit 1
done`,
};

/** Each rule of ours, as a line TOOL and the words that delete it. */
function ourLines(): Sh {
  return sh`for chain in ${chains.flatMap((each) => [`iptables ufw-before-${each}`, `ip6tables ufw6-before-${each}`])}; do
  ! command -v "\${chain% *}" >/dev/null || "\${chain% *}" -w -S "\${chain#* }" 2>/dev/null | grep -F -- ${`"${ours}`} | sed "s/^-A /\${chain% *} -D /"
done`;
}

export function ufwChanges(
  seen: readonly SeenFile[],
  chains: readonly RuleChain[],
  rules: readonly PacketRule[],
  context: PlanContext,
): readonly Change[] {
  return ufwPaths.flatMap((path, index) => {
    const file = seen[index];
    const own = chains.filter((chain) => isUfwChain(chain) && chain.family === (index === 0 ? 'ip' : 'ip6'));
    const lines = own.flatMap((chain) =>
      rulesFor(chain, rules).map((rule) => `-A ${chain.chain} ${iptablesWords(rule).map(word).join(' ')}`),
    );
    if (own.length === 0 || !file || (lines.length === 0 && !file.content?.includes(`${begin}\n`))) return [];
    if (file.content === undefined) throw refuse(`${path} is not there or cannot be read`, 'ufw needs it: dpkg-reconfigure ufw');
    const { owner, group, mode } = file;
    return fileChange({ seen: file, path, content: withBlock(file.content, lines, path), owner, group, mode, risk: 'lockout', context });
  });
}

/** iptables-restore knows double quotes only. */
function word(text: string): string {
  return quote(text) === text ? text : `"${text}"`;
}

function withBlock(content: string, rules: readonly string[], path: string): string {
  const block = rules.length === 0 ? [] : [begin, ...rules, end];
  const all = content.split('\n');
  const [from, to] = [all.indexOf(begin), all.indexOf(end)];
  if (from >= 0 && to > from) return [...all.slice(0, from), ...block, ...all.slice(to + 1)].join('\n');
  // Chains are declared first; a rule of theirs that comes before ours could drop.
  const filter = all.indexOf('*filter');
  const first = filter < 0 ? -1 : all.findIndex((line, index) => index > filter && /^(-A |COMMIT)/.test(line));
  if (first < 0) throw refuse(`${path} has no table filter`, 'ufw needs it: dpkg-reconfigure ufw');
  return [...all.slice(0, first), ...block, ...all.slice(first)].join('\n');
}
