/** What every vantage point saw, judged check by check. Pure: the looking is done by then. */
import type { CheckResult, Facts, Finding, Fleet, Host, Role, Seen } from '../model.ts';
import type { BoundCheck } from '../playbook/bind.ts';
import type { CheckContext, Look } from '../task.ts';

/**
 * The results of every check, in order; `lost` are hosts that were there and did not answer the checks, which is a failure. `seen` is what each host's script said, with each check's output under the check's id. A host
 * that was not reached is said to be so by every check that would have looked from it.
 */
export function judge(
  checks: readonly BoundCheck[],
  seen: Readonly<Record<string, Seen>>,
  fleet: Fleet,
  lost: ReadonlySet<string> = new Set(),
): readonly CheckResult[] {
  const facts = Object.values(seen).flatMap((one): readonly (readonly [string, Facts])[] => (one.reached ? [[one.host, one.facts]] : []));
  const context = { fleet, facts: Object.fromEntries(facts) };
  return checks.flatMap((check) => judgeCheck(check, seen, context, lost).map((finding) => toResult(check, finding, fleet)));
}

function judgeCheck(
  { id, definition, want }: BoundCheck,
  seen: Readonly<Record<string, Seen>>,
  context: CheckContext,
  lost: ReadonlySet<string>,
): readonly Finding[] {
  const { fleet } = context;
  const hosts = fleet.hosts.filter((host) => definition.from.includes(host.role) && definition.probe(want, host, fleet) !== undefined);
  const looks: Look[] = [];
  const blind: Finding[] = [];
  for (const host of hosts) {
    const one = seen[host.name];
    const output = one?.reached ? one.outputs[id] : undefined;
    if (output) looks.push({ host, output });
    else blind.push({ ...unasked(host, one, definition.summary), ...(lost.has(host.name) && { status: 'fail' }) });
  }
  return looks.length === 0 && blind.length > 0 ? blind : [...blind, ...definition.expect(looks, want, context)];
}

function unasked(host: Host, seen: Seen | undefined, expected: string): Finding {
  const known = seen && !seen.reached ? seen : undefined;
  const found = known ? `${host.name} was not reached: ${known.reason}` : `${host.name} was not asked`;
  return { status: 'not-run', host: host.name, found, expected, fix: known?.hint ?? '', from: host.role };
}

function toResult({ entry, definition }: BoundCheck, finding: Finding, fleet: Fleet): CheckResult {
  const [first = 'director'] = definition.from;
  const own = fleet.hosts.find(({ name }) => name === finding.host)?.role;
  const from: Role = finding.from ?? (own !== undefined && definition.from.includes(own) ? own : first);
  const { status, host, found, expected, fix } = finding;
  return { id: entry.check.replaceAll('_', '-'), name: entry.name, status, from, host, found, expected, fix };
}
