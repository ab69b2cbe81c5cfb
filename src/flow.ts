/** The pipeline on one page: inventory → playbook → probe → plan → (confirm) → apply → probe again → verify. */
import pLimit from 'p-limit';
import { apply } from './apply/apply.ts';
import { heldArtefacts, type Store } from './apply/artefacts/store.ts';
import { followOrphans, othersAtWork } from './apply/bundle/orphans.ts';
import { type FirstCopies, newFirstCopies } from './apply/first-copy.ts';
import { frozenNotes, refuseFrozen } from './apply/lock/freeze.ts';
import type { Before, LockOwner } from './apply/lock/lock-script.ts';
import { takeLocks } from './apply/lock/locks.ts';
import type { Batch, CheckResult, Event, Fleet, Host, Known, Plan, Report, Share } from './model.ts';
import { type Looked, type LookOptions, look, lookAgain } from './plan/look.ts';
import { leaveOut } from './plan/omit.ts';
import { touchedHosts } from './plan/touched-hosts.ts';
import type { BoundPlay } from './playbook/bind.ts';
import type { Registry } from './playbook/registry.ts';
import type { Findings } from './report/findings.ts';
import { makeReport } from './report/report.ts';
import { reach } from './transport/reach.ts';
import type { Transport } from './transport/transport.ts';
import { settling, untilSettled } from './verify/settle.ts';
import { verifyAll } from './verify/verify-all.ts';

export interface Flow {
  readonly command: string;
  readonly runId: string;
  /** Whose run it is: `root@control`. */
  readonly who: string;
  readonly fleet: Fleet;
  readonly registry: Registry;
  /** The plays that change hosts, bound with what is known of these; none for `verify`. */
  readonly bind: (known?: Known) => readonly BoundPlay[];
  /** Plays whose checks are made at the end; empty for `plan`. */
  readonly checks: readonly BoundPlay[];
  readonly transport: Transport;
  readonly store: Store;
  /** So many hosts are connected to, looked at and worked on at once. */
  readonly forks: number;
  readonly serial?: Share | undefined;
  readonly maxFail?: Share | undefined;
  /** What others have configured on the hosts may be replaced. */
  readonly takeOver?: boolean | undefined;
  readonly resolve: (text: string) => string;
  /** Secret values to slots, in whatever a host says. */
  readonly conceal: (text: string) => string;
  /** The command line that goes on with this run, without what -e was given. */
  readonly resume: string;
  readonly emit: (event: Event) => void;
  /** As of `ApplyOptions`. */
  readonly keepAll?: boolean;
  /** Aborted by somebody who wants it to stop: what is at work on a host is finished, nothing else is begun, locks are let go. */
  readonly stop?: AbortSignal | undefined;
  /** Told when the hosts begin to be changed: from then on an end must be an orderly one. */
  readonly touching?: () => void;
  /** Asked once when there is something to do. */
  readonly confirm: (plan: Plan, soFar: Report) => Promise<Answer>;
}

/** No: nothing is touched. Otherwise `leaveOut` says which steps (`host id`) are not done. */
export type Answer = false | { readonly leaveOut: ReadonlySet<string> };

/**
 * Runs the stages that the flow has work for. Throws LvsError for bad input, and (exit 6) where another run has a host; what fails on a
 * host is in the report.
 */
export async function run(flow: Flow): Promise<Report> {
  const began = Date.now();
  const limit = pLimit(flow.forks);
  const lines = await reach(hostsOf(flow), watched(flow), limit);
  const looking: LookOptions = { ...flow, ...lines, limit, held: () => heldArtefacts(flow.store) };
  let told: readonly string[] = [];
  const report = (findings: Findings): Report => makeReport({ ...flow, ...findings, lines, told, seconds: (Date.now() - began) / 1000 });
  try {
    const first = await lookFirst(flow, looking);
    const { looked } = first;
    told = first.told;
    const planned = report({ plan: looked.plan, checks: [] });
    if (planned.summary.failed > 0 || planned.notes.length > told.length) return planned;
    if (flow.command !== 'plan') refuseFrozen(touchedHosts(looked.plan), looked.seen, Date.now() / 1000);
    if (!planned.batches.length) return report({ plan: looked.plan, checks: await verify(flow, looking) });
    const answer = await flow.confirm(looked.plan, planned);
    if (!answer) return planned;
    const { told: more, ...findings } = await change(flow, looking, looked, answer.leaveOut);
    told = [...told, ...more];
    return report(findings);
  } finally {
    lines.close();
  }
}

/** What runs without their control machine have left at work is followed to its end first, where this run is to change hosts. */
async function lookFirst(flow: Flow, looking: LookOptions): Promise<{ readonly looked: Looked; readonly told: readonly string[] }> {
  const looked = await look(looking);
  if (!['deploy', 'teardown', 'rollback'].includes(flow.command))
    return { looked, told: [...othersAtWork(looked.seen), ...frozenNotes(looked.seen, Date.now() / 1000)] };
  const told = await followOrphans(looked.seen, looking.connections, flow);
  return { looked: told.length > 0 ? await look(looking) : looked, told };
}

/** With sentences about locks and copies. */
type Changed = Findings & { readonly told: readonly string[] };

/** Applies under locks, looks again, and verifies where all went well. */
async function change(flow: Flow, looking: LookOptions, looked: Looked, omitted: ReadonlySet<string>): Promise<Changed> {
  const plan = leaveOut(looked.plan, omitted);
  flow.touching?.();
  const locks = await takeLocks(touchedHosts(plan), { ...looking, owner: ownerOf(flow), before: othersIn(looked) });
  try {
    const copies = newFirstCopies({ ...flow, ...looking });
    await copies.copy(plan, looked.seen);
    const applied = await apply(plan, { ...flow, ...looking, locks, ...rollout(flow, looking, looked, omitted, copies) });
    const told = [...locks.broken, ...copies.notes];
    const interrupted = { told, plan, applied: { ...applied, interrupted: true }, checks: [] };
    if (flow.stop?.aborted) return interrupted;
    const settled = Date.now() + settling(flow.fleet);
    const after = (await look(looking)).plan;
    const whole = applied.stopped.length === 0 && applied.gates.length === 0 && !applied.hosts.some(({ failed }) => failed);
    if (whole && flow.checks.some(({ checks }) => checks.length > 0))
      await untilSettled(settled, { ...flow, connections: looking.connections });
    const checks = whole ? await unlessStopped(() => verify(flow, looking), flow.stop) : [];
    return checks && !flow.stop?.aborted ? { told, plan, applied, after, checks } : interrupted;
  } finally {
    await locks.release();
  }
}

/** `undefined` where nobody wants to know any more: looking changes nothing, and can be left where it is. */
async function unlessStopped<Result>(work: () => Promise<Result>, stop: AbortSignal | undefined): Promise<Result | undefined> {
  if (stop?.aborted) return undefined;
  const left = new Promise<undefined>((resolve) => stop?.addEventListener('abort', () => resolve(undefined), { once: true }));
  const done = work();
  done.catch(() => undefined);
  return Promise.race([done, left]);
}

function ownerOf({ runId, who, resume }: Flow): LockOwner {
  return { run: runId, who, command: resume };
}

/** What the look has seen of other runs: whoever has touched a host since, or was at work during it, makes the plan stale. */
function othersIn({ seen }: Looked): Readonly<Record<string, Before>> {
  return Object.fromEntries(Object.values(seen).flatMap((one) => (one.reached && one.traces ? [[one.host, one.traces]] : [])));
}

/** What a rollout asks for between its batches: a new look behind a barrier, and what a gate finds. */
function rollout(flow: Flow, looking: LookOptions, first: Looked, omitted: ReadonlySet<string>, copies: FirstCopies) {
  let latest = first;
  return {
    again: async (batch: Batch, touched: ReadonlySet<string>): Promise<Batch> => {
      const { batch: now, looked } = await lookAgain(batch, touched, latest, looking);
      latest = looked;
      const due = leaveOut({ cluster: flow.fleet.cluster, batches: [now] }, omitted);
      await copies.copy(due, looked.seen);
      return due.batches[0] ?? now;
    },
    /** Health checks need a moment to notice what was changed: what fails at first is looked at once more after that. */
    gate: async (play: number, hosts: ReadonlySet<string>): Promise<readonly CheckResult[]> => {
      const settled = Date.now() + settling(flow.fleet);
      const { gate = [], steps = {} } = first.plays[play] ?? {};
      // From the batch and from outside of the play: its other hosts have nothing to say about this batch.
      const outside = flow.fleet.hosts.filter(({ name }) => !steps[name]).map(({ name }) => name);
      const findings = () => verifyAll(gate, 'gate', { ...looking, from: new Set([...hosts, ...outside]) });
      const found = await findings();
      if (found.every(({ status }) => status === 'pass')) return found;
      await untilSettled(settled, { ...flow, connections: looking.connections });
      return findings();
    },
  };
}

function verify(flow: Flow, looking: LookOptions): Promise<readonly CheckResult[]> {
  return verifyAll(
    flow.checks.flatMap((play) => play.checks),
    'verify',
    looking,
  );
}

/** Hosts that have a step, on which a step is done in their place, or that a check looks from. */
export function hostsOf({ fleet, bind, checks }: Pick<Flow, 'fleet' | 'bind' | 'checks'>): readonly Host[] {
  const plays = bind();
  const steps = plays.flatMap((play) => Object.values(play.steps).flat());
  const names = new Set(steps.flatMap(({ host, on }) => (on === undefined ? [host] : [host, on])));
  const roles = new Set(checks.flatMap((play) => play.checks.flatMap(({ definition }) => definition.from)));
  return fleet.hosts.filter((host) => roles.has(host.role) || names.has(host.name) || plays.some((play) => opensFor(host, play)));
}

/** The host is none of the play's, and its gate looks from there. */
function opensFor({ name, role }: Host, { gate = [], steps }: BoundPlay): boolean {
  const works = Object.values(steps).some((list) => list.length > 0);
  return works && !steps[name] && gate.some(({ definition }) => definition.from.includes(role));
}

function watched(flow: Flow): Transport {
  return {
    connect: async (host) => {
      flow.emit({ kind: 'host', host: host.name, doing: 'connect' });
      return flow.transport.connect(host);
    },
  };
}
