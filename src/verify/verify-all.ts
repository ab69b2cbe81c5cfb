/** Makes checks from every vantage point, one script per host; what they find gives no secret away. */
import type { CheckResult, Fleet, Host, Seen } from '../model.ts';
import type { BoundCheck } from '../playbook/bind.ts';
import { type ProbeAllOptions, probeAll } from '../probe/probe-all.ts';
import { mask } from '../sh/secret.ts';
import type { Sh } from '../sh/sh.ts';
import { judge } from './verify.ts';

export interface VerifyOptions extends Omit<ProbeAllOptions, 'doing'> {
  readonly fleet: Fleet;
  /** Hosts that were not reached. */
  readonly unreached: Readonly<Record<string, Seen>>;
  /** Names of the hosts to look from; absent: all. */
  readonly from?: ReadonlySet<string>;
}

export async function verifyAll(checks: readonly BoundCheck[], doing: string, options: VerifyOptions): Promise<readonly CheckResult[]> {
  if (checks.length === 0) return [];
  const { from, unreached } = options;
  const fleet = from ? { ...options.fleet, hosts: options.fleet.hosts.filter(({ name }) => from.has(name)) } : options.fleet;
  const questions = fleet.hosts.map((host) => [host.name, fragmentsFor(host, checks, fleet)] as const);
  const asked = Object.fromEntries(questions.filter(([, fragments]) => Object.keys(fragments).length > 0));
  const seen = await probeAll(asked, { ...options, doing });
  const lost = new Set(Object.values(seen).flatMap((one) => (one.reached ? [] : [one.host])));
  return judge(checks, { ...unreached, ...seen }, fleet, lost).map((result) => withoutSecrets(result, options.conceal));
}

/** Of all that is shown of a finding, in whichever sentence the host's words stand. */
function withoutSecrets({ found, expected, fix, ...result }: CheckResult, conceal: (text: string) => string): CheckResult {
  const sentence = (text: string): string => mask(conceal(text));
  return { ...result, found: sentence(found), expected: sentence(expected), fix: sentence(fix) };
}

/** What the checks ask of one host, by the id of the check. */
export function fragmentsFor(host: Host, checks: readonly BoundCheck[], fleet: Fleet): Readonly<Record<string, Sh>> {
  const looks = checks.filter(({ definition }) => definition.from.includes(host.role));
  const fragments = looks.flatMap(({ id, definition, want }) => {
    const probe = definition.probe(want, host, fleet);
    return probe ? [[id, probe] as const] : [];
  });
  return Object.fromEntries(fragments);
}
