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

/** A case with what came of it. */
interface Played extends Case {
  readonly parts: readonly Part[];
  /** What was wrong with the damage itself. */
  readonly harmed: readonly string[];
}

export async function playRound(cluster: Cluster, round: readonly Case[]): Promise<readonly Row[]> {
  const began = Date.now();
  await untilWhole(cluster);
  const played = await Promise.all(round.map((each) => doHarm(cluster, each)));
  const { planned, report } = await cluster.deploy();
  const refused = played.some(({ damage }) => damage.refused);
  const undone = refused ? await undo(cluster, round) : [];
  const left = await cluster.plan();
  const all = played.flatMap(({ parts }) => parts);
  const mended = new Map(await Promise.all(all.map(async (part) => [part, await settles(cluster, part)] as const)));
  const judge = (damage: Damage, part: Part): readonly string[] => [
    ...(damage.refused ? refusalOf(planned ?? report, part.host, damage.refused.words) : unexpected(planned ?? report, part, all)),
    ...(refused ? undone : failures(report, part.host)),
    ...(mended.get(part) ?? []),
    ...changesOf(left, part.host).map((each) => `still in the next plan for ${part.host}: ${each}`),
  ];
  return played.map(({ damage, parts, harmed }): Row => {
    const own = parts.flatMap(({ host, plan }) => changesOf(planned ?? report, host).filter((each) => plan.includes(each)));
    return {
      kind: damage.kind,
      host: parts.map(({ host }) => host).join(' '),
      planned: damage.refused ? [`refused: ${damage.refused.words}`] : [...new Set(own)],
      wrong: [...new Set([...harmed, ...parts.flatMap((part) => judge(damage, part))])],
      seconds: (Date.now() - began) / 1000,
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
async function doHarm(cluster: Cluster, each: Case): Promise<Played> {
  const parts = partsOf(each);
  const before = await Promise.all(parts.map((part) => looks(cluster, part, true)));
  const [first, rest] = each.damage.first ? [parts.slice(0, 1), parts.slice(1)] : [[], parts];
  const done = [
    ...(await Promise.all(first.map((part) => harm(cluster, part)))),
    ...(await Promise.all(rest.map((part) => harm(cluster, part)))),
  ];
  const after = await Promise.all(parts.map((part) => looks(cluster, part, false)));
  return { ...each, parts, harmed: [...before, ...done, ...after].flat() };
}

async function looks(cluster: Cluster, { host, whole }: Part, right: boolean): Promise<readonly string[]> {
  const { exit, said } = await cluster.shell(host, `${prelude(host)}${whole}\n`);
  if ((exit === 0) === right) return [];
  return [right ? `${host} was not whole before: ${said}` : `the damage does not show on ${host}`];
}

async function harm(cluster: Cluster, { host, harm: script }: Part): Promise<readonly string[]> {
  const { exit, said } = await cluster.shell(host, `${prelude(host)}set -e\n${script}\n`);
  return exit === 0 ? [] : [`${host} could not be damaged: ${said}`];
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

/** What mends this damage and is not planned, and what is planned and mends none that was done on this host. */
function unexpected(planned: Report, { host, plan }: Part, all: readonly Part[]): readonly string[] {
  const found = changesOf(planned, host);
  const mends = all.filter((other) => other.host === host).flatMap((other) => other.plan);
  const exact = plan.every((each) => found.includes(each)) && found.every((each) => mends.includes(each));
  return exact ? [] : [`planned on ${host}: ${found.join(', ') || 'nothing'}; expected: ${mends.join(', ')}`];
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
