/** What a director without keepalived has in the kernel's table, and what its health checks have taken out of it. */
import { lines, type Sh, sh } from '../../../task.ts';
import { isRunning, type OwnProgram, statePath } from '../systemd/own-program.ts';
import { parseRules, parseThresholds, type RuleService, withThresholds } from './rules.ts';

export const checks: OwnProgram = {
  name: 'ipvs-check',
  description: 'Health checks of the real servers of the LVS cluster',
  online: true,
  after: ['lvsctl-ipvs.service'],
  // What a restart of the rules puts back that is dead must go again.
  partOf: 'lvsctl-ipvs.service',
  tools: ['ipvsadm', 'curl', 'timeout'],
};
const state = statePath(checks.name);

/** Rows as the health checks have them; `undefined` where nothing checks. */
export interface CheckView {
  /** `PLACE SERVER` of the real servers that are out: they fail, or the sorry server stands in for all. */
  readonly out: readonly string[];
  /** Likewise, of the sorry servers that answer. */
  readonly sorry: readonly string[];
}

export interface IpvsView {
  readonly table: readonly RuleService[];
  readonly checks: CheckView | undefined;
}

/**
 * Rules and view of one moment: the view says `busy` while the table is being changed. ipvsadm would load the module, so it is asked only
 * where the module is there.
 */
export const viewProbe: Sh = sh`view() { ${isRunning(checks.name)} && cat ${state} 2>/dev/null; }
rules='' after='' tries=0
if command -v ipvsadm >/dev/null && [ -r /proc/net/ip_vs ]; then
  while tries=$((tries + 1)); do
    before=$(view)
    rules=$(ipvsadm -S -n)
    after=$(view)
    [ "$tries" -lt 25 ] || break
    case $before in
      *busy*) sleep 0.2 ;;
      *) [ "$before" != "$after" ] || break ;;
    esac
  done
  printf '%s\n' "$rules" | sed 's/^/rule /'
  ipvsadm -Ln --thresholds | sed 's/^/threshold /'
  [ -z "$after" ] || printf '%s\n' "$after" | sed 's/^/view /'
fi`;

/** Survives any output. */
export function parseView(said: readonly string[]): IpvsView {
  const after = (word: string) => said.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const view = after('view');
  const rows = (start: string) => view.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  return {
    table: withThresholds(parseRules(after('rule')), parseThresholds(after('threshold'))),
    checks: view.length === 0 ? undefined : { out: rows('real out '), sorry: rows('sorry in ') },
  };
}

/** Exits 0 when the health checks say of this row what they did not say when the plan was made. */
export function checksSayOtherwise(row: string, was: 'real in' | 'real out' | 'sorry in' | 'sorry out'): Sh {
  const other = was.endsWith(' in') ? was.replace(/in$/, 'out') : was.replace(/out$/, 'in');
  return lines(sh`grep -qxF -- ${`${other} ${row}`} ${state} 2>/dev/null`);
}
