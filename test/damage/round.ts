/** One round: every host is damaged, one plan, one deploy, one more plan; judged host by host. */
import type { Report } from '../../src/model.ts';
import type { Cluster } from './cluster.ts';
import type { Case, Damage } from './damage.ts';

/** A line of the table. */
export interface Row {
  readonly kind: string;
  readonly host: string;
  /** What the plan said. */
  readonly planned: readonly string[];
  /** What is wrong; empty where the damage was mended as it should be. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

interface Part extends Pick<Damage, 'harm' | 'whole' | 'plan'> {
  readonly host: string;
}

const peers: Readonly<Record<string, string>> = { dr1: '10.18.43.20', dr2: '10.18.43.10' };
const prelude = (host: string): string => `name=${host} priority=${host === 'dr1' ? 100 : 150}\n`;

export async function playRound(cluster: Cluster, round: readonly Case[]): Promise<readonly Row[]> {
  const began = Date.now();
  await untilWhole(cluster);
  const parts = round.flatMap((each) => partsOf(each));
  const harmed = new Map((await Promise.all(round.map((each) => doHarm(cluster, each)))).flat());
  const refused = round.some(({ damage }) => damage.refused);
  const { planned, report } = await cluster.deploy();
  const plan = planned ?? report;
  const undone = refused ? await undo(cluster, round) : [];
  const left = await cluster.plan();
  const mended = new Map(await Promise.all(parts.map(async (part) => [part, await settles(cluster, part)] as const)));
  const seconds = (Date.now() - began) / 1000;
  return round.map((each): Row => {
    const own = partsOf(each);
    const { damage } = each;
    const wrong = own.flatMap(({ host, harm, plan: expected }) => {
      const part = parts.find((other) => other.host === host && other.harm === harm) as Part;
      return [
        ...(harmed.get(host) ?? []),
        ...(damage.refused ? refusalOf(plan, host, damage.refused.words) : differs(changesOf(plan, host), expected, host, 'planned')),
        ...(damage.refused ? undone : failures(report, host)),
        ...(mended.get(part) ?? []),
        ...differs(changesOf(left, host), [], host, 'left afterwards'),
      ];
    });
    const said = own.flatMap(({ host }) => (damage.refused ? [`refused: ${damage.refused.words}`] : changesOf(plan, host)));
    return {
      kind: damage.kind,
      host: own.map(({ host }) => host).join(' '),
      planned: [...new Set(said)],
      wrong: [...new Set(wrong)],
      seconds,
    };
  });
}

function partsOf({ damage, hosts }: Case): readonly Part[] {
  const { first } = damage;
  return [...(first ? [first] : []), ...hosts.map((host) => ({ ...damage, host }))].map(({ host, harm, whole, plan }) => ({
    host,
    harm,
    whole,
    plan: plan.map((id) => id.replace('{peer}', peers[host] ?? '')),
  }));
}

/** Both directors have both backends, so that no health check is on its way. */
async function untilWhole(cluster: Cluster): Promise<void> {
  const both = `n=0; until [ "$(grep -c Route /proc/net/ip_vs)" = 2 ]; do n=$((n + 1)); [ $n -lt 60 ] || { cat /proc/net/ip_vs; exit 1; }; sleep 0.5; done`;
  for (const { exit, said } of await Promise.all(['dr1', 'dr2'].map((host) => cluster.shell(host, both))))
    if (exit !== 0) throw new Error(`a director does not have both backends within 30 seconds:\n${said}`);
}

/** Does it and makes sure that it shows: damage that is none would prove nothing. */
async function doHarm(cluster: Cluster, each: Case): Promise<readonly (readonly [string, readonly string[]])[]> {
  const results: (readonly [string, readonly string[]])[] = [];
  const { first } = each.damage;
  const parts = partsOf(each);
  const ordered = first ? [parts.slice(0, 1), parts.slice(1)] : [parts];
  for (const group of ordered) results.push(...(await Promise.all(group.map((part) => harm(cluster, part)))));
  return results;
}

async function harm(cluster: Cluster, { host, harm: script, whole }: Part): Promise<readonly [string, readonly string[]]> {
  const before = await cluster.shell(host, `${prelude(host)}${whole}\n`);
  const done = await cluster.shell(host, `${prelude(host)}set -e\n${script}\n`);
  const after = await cluster.shell(host, `${prelude(host)}${whole}\n`);
  return [
    host,
    [
      ...(before.exit === 0 ? [] : [`${host} was not whole before: ${before.said}`]),
      ...(done.exit === 0 ? [] : [`${host} could not be damaged: ${done.said}`]),
      ...(after.exit !== 0 ? [] : [`the damage does not show on ${host}`]),
    ],
  ];
}

async function undo(cluster: Cluster, round: readonly Case[]): Promise<readonly string[]> {
  const done = round.flatMap(({ damage, hosts }) => hosts.map((host) => cluster.shell(host, damage.refused?.undo ?? ':')));
  return (await Promise.all(done)).flatMap(({ exit, said }) => (exit === 0 ? [] : [`could not be undone: ${said}`]));
}

/** What starts takes its time until it shows; what is not right within ten seconds is wrong. */
async function settles(cluster: Cluster, { host, whole }: Part): Promise<readonly string[]> {
  const script = `${prelude(host)}n=0; until ( ${whole} ); do n=$((n + 1)); [ $n -lt 20 ] || exit 1; sleep 0.5; done`;
  const { exit, said } = await cluster.shell(host, script);
  return exit === 0 ? [] : [`${host} is not mended: ${whole}: ${said}`];
}

function changesOf(report: Report, name: string): readonly string[] {
  const steps = report.hosts.find((host) => host.name === name)?.steps ?? [];
  return steps.flatMap(({ task, changes }) => changes.map(({ id }) => `${task} ${id}`));
}

function differs(found: readonly string[], expected: readonly string[], host: string, what: string): readonly string[] {
  if ([...found].sort().join('\n') === [...expected].sort().join('\n')) return [];
  return [`${what} on ${host}: ${found.join(', ') || 'nothing'}; expected: ${expected.join(', ') || 'nothing'}`];
}

function refusalOf(report: Report, name: string, words: string): readonly string[] {
  const steps = report.hosts.find((host) => host.name === name)?.steps ?? [];
  const failed = steps.filter(({ status }) => status === 'failed').map(({ why }) => why);
  if (failed.length === 1 && failed[0]?.includes(words)) return [];
  return [`refused on ${name}: ${failed.join(' | ') || 'nothing'}; expected: ${words}`];
}

/** What went wrong while it was mended, and what the deploy itself says of this host. */
function failures(report: Report, name: string): readonly string[] {
  const host = report.hosts.find((each) => each.name === name);
  if (!host || host.status === 'unreachable') return [`${name} unreachable: ${host?.why}`];
  const changes = host.steps.flatMap((step) => step.changes);
  return [
    ...changes
      .filter(({ status }) => status === 'failed' || status === 'not-run')
      .map(({ id, status, output }) => `${name}: ${id} ${status}: ${output}`),
    ...report.notes.filter((note) => note.includes(`${name}: `)),
  ];
}
