/** The pipeline on one page: inventory → playbook → probe → plan → (confirm) → apply → probe again → verify. */
import { setTimeout as sleep } from 'node:timers/promises';
import { apply } from './apply/apply.ts';
import { heldArtefacts, type Store } from './apply/store.ts';
import type { CheckResult, Event, Fleet, Host, Plan, Report, Seen } from './model.ts';
import { assignBuilds } from './plan/builds.ts';
import { planBatches } from './plan/plan.ts';
import type { BoundPlay } from './playbook/bind.ts';
import type { Registry } from './playbook/registry.ts';
import { probeHost } from './probe/probe.ts';
import { type Findings, makeReport } from './report.ts';
import type { Sh } from './sh/sh.ts';
import { type Lines, reach } from './transport/reach.ts';
import type { Transport } from './transport/transport.ts';
import { judge } from './verify/verify.ts';

export interface Flow {
  readonly command: string;
  readonly runId: string;
  readonly fleet: Fleet;
  readonly registry: Registry;
  /** Plays that change hosts; empty for `verify`. */
  readonly plays: readonly BoundPlay[];
  /** Plays whose checks are made at the end; empty for `plan`. */
  readonly checks: readonly BoundPlay[];
  readonly transport: Transport;
  readonly store: Store;
  readonly resolve: (text: string) => string;
  readonly emit: (event: Event) => void;
  /** Asked once when there is something to do; false leaves it at the plan. */
  readonly confirm: (plan: Plan, soFar: Report) => Promise<boolean>;
}

/** Runs the stages that the flow has work for. Throws LvsError for bad input only; what fails on a host is in the report. */
export async function run(flow: Flow): Promise<Report> {
  const began = Date.now();
  const lines = await reach(hostsOf(flow), watched(flow));
  const report = (findings: Findings): Report => makeReport({ ...flow, ...findings, lines, seconds: (Date.now() - began) / 1000 });
  try {
    const plan = await look(flow, lines);
    const planned = report({ plan, checks: [] });
    if (planned.summary.failed > 0) return planned;
    if (planned.summary.changed === 0) return report({ plan, checks: await verify(flow, lines) });
    if (!(await flow.confirm(plan, planned))) return planned;
    const applied = await apply(plan, { ...flow, connections: lines.connections });
    const settled = Date.now() + settling(flow.fleet);
    const after = await look(flow, lines);
    const whole = !applied.hosts.some(({ failed }) => failed);
    if (whole && flow.checks.length > 0) await untilSettled(flow, lines, settled);
    return report({ plan, applied, after, checks: whole ? await verify(flow, lines) : [] });
  } finally {
    lines.close();
  }
}

/** Probes every host, each with one script, and plans from what they said. */
async function look(flow: Flow, lines: Lines): Promise<Plan> {
  const fragments = (host: Host): Record<string, Sh> =>
    Object.fromEntries(
      flow.plays
        .flatMap((play) => play.steps[host.name] ?? [])
        .map((step) => [step.id, flow.registry.tasks.get(step.task)?.probe(step.want) ?? { parts: [] }]),
    );
  const seen = flow.plays.length === 0 ? lines.unreached : await probeAll(flow, lines, 'probe', fragments);
  const batches = planBatches({ ...flow, seen });
  return { cluster: flow.fleet.cluster, batches: assignBuilds(batches, heldArtefacts(flow.store)) };
}

/**
 * Milliseconds after the last change until the cluster has taken notice of it: keepalived tries a real server that came back once per
 * delay_loop, and directors elect a master within three adverts and a skew of at most one more.
 */
function settling({ services, vrrp }: Fleet): number {
  return 1000 * (1 + Math.max(4 * vrrp.advert, ...services.map(({ check }) => check.delayLoop + check.timeout)));
}

async function untilSettled(flow: Flow, lines: Lines, settled: number): Promise<void> {
  const wait = settled - Date.now();
  if (wait <= 0) return;
  for (const host of lines.connections.keys())
    flow.emit({ kind: 'host', host, doing: `wait ${Math.ceil(wait / 1000)} s for health checks` });
  await sleep(wait);
}

/** Makes every check from every vantage point, one script per host. */
async function verify(flow: Flow, lines: Lines): Promise<readonly CheckResult[]> {
  const checks = flow.checks.flatMap((play) => play.checks);
  if (checks.length === 0) return [];
  const fragments = (host: Host): Record<string, Sh> =>
    Object.fromEntries(
      checks
        .filter(({ definition }) => definition.from.includes(host.role))
        .flatMap(({ id, definition, want }) => {
          const probe = definition.probe(want, host, flow.fleet);
          return probe ? [[id, probe] as const] : [];
        }),
    );
  return judge(checks, await probeAll(flow, lines, 'verify', fragments), flow.fleet);
}

async function probeAll(
  flow: Flow,
  lines: Lines,
  doing: string,
  fragments: (host: Host) => Record<string, Sh>,
): Promise<Readonly<Record<string, Seen>>> {
  const asked = [...lines.connections.values()].map(async (connection) => {
    flow.emit({ kind: 'host', host: connection.host.name, doing });
    const seen = await probeHost(connection, fragments(connection.host), { timeout: 120, resolve: flow.resolve });
    flow.emit({ kind: 'host', host: connection.host.name, doing: seen.reached ? `${doing}: done` : seen.reason });
    return [connection.host.name, seen] as const;
  });
  return { ...lines.unreached, ...Object.fromEntries(await Promise.all(asked)) };
}

/** Hosts that have a step, or that a check looks from. */
export function hostsOf(flow: Pick<Flow, 'fleet' | 'plays' | 'checks'>): readonly Host[] {
  const roles = new Set(flow.checks.flatMap((play) => play.checks.flatMap(({ definition }) => definition.from)));
  return flow.fleet.hosts.filter((host) => roles.has(host.role) || flow.plays.some((play) => play.steps[host.name]?.length));
}

function watched(flow: Flow): Transport {
  return {
    connect: async (host) => {
      flow.emit({ kind: 'host', host: host.name, doing: 'connect' });
      return flow.transport.connect(host);
    },
  };
}
