/** One example from bare machines to bare machines, stage by stage; each says what was wrong with it. */
import type { Report } from '../../src/model.ts';
import { lvsctl, lvsctlJson } from '../support/cli.ts';
import { compareSnapshots, snapshotScript } from '../support/snapshot.ts';
import { type Cluster, openCluster } from './cluster.ts';
import type { Example } from './example.ts';

export const stages = ['up', 'deploy', 'verify', 'again', 'proof', 'teardown', 'down'] as const;
export type Stage = (typeof stages)[number];

/** A line of the table. */
export interface Row {
  readonly name: string;
  readonly note: string;
  /** Of each stage that was reached. */
  readonly seconds: Readonly<Partial<Record<Stage, number>>>;
  /** Checks of `verify` that passed, and that could not be run. */
  readonly passed: number;
  readonly notRun: number;
  /** What differed, each with its stage; empty where all was as it should be. */
  readonly wrong: readonly string[];
}

type Snapshots = ReadonlyMap<string, string>;

export async function playExample(name: string, example: Example, keep: boolean, say: (line: string) => void): Promise<Row> {
  const { inventory, note, proof } = example;
  const { play, seconds, wrong } = logbook(name, say);
  let cluster: Cluster | undefined;
  let before: Snapshots = new Map();
  let verified: Report | undefined;
  const up = await play('up', async () => {
    await bringUp(inventory);
    cluster = await openCluster(inventory);
    before = await snapshots(cluster);
    return [];
  });
  const there = up ? cluster : undefined;
  if (there && (await play('deploy', () => deployed(inventory)))) {
    await play('verify', async () => {
      verified = (await lvsctlJson('verify', inventory, '--lab')).report;
      for (const { id, host, found } of verified.checks.filter(({ status }) => status === 'not-run'))
        say(`${name}: not run: ${id} on ${host}: ${found}`);
      return failing(verified);
    });
    await play('again', () => nothingToDo(inventory));
    await play('proof', () => proof(there).then(() => []));
  }
  // A cluster that is not as it should be is kept to be looked at.
  if (there && (!keep || wrong.length === 0)) {
    await play('teardown', async () => {
      const left = await tornDown(inventory);
      return left.length > 0 ? left : differences(before, await snapshots(there));
    });
  }
  cluster?.close();
  if (!keep) await play('down', () => takeDown(inventory));
  const count = (status: string) => verified?.checks.filter((check) => check.status === status).length ?? 0;
  return { name, note, seconds, passed: count('pass'), notRun: count('not-run'), wrong };
}

/** Plays stages and keeps how long each took and what was wrong with it: what it throws or returns. */
function logbook(name: string, say: (line: string) => void) {
  const seconds: Partial<Record<Stage, number>> = {};
  const wrong: string[] = [];
  const play = async (stage: Stage, work: () => Promise<readonly string[]>): Promise<boolean> => {
    say(`${name}: ${stage}`);
    const began = Date.now();
    const found = await work().catch((error: Error) => [error.message]);
    seconds[stage] = (Date.now() - began) / 1000;
    wrong.push(...found.map((line) => `${stage}: ${line}`));
    for (const line of found) say(`${name}: ${stage}: ${line}`);
    return found.length === 0;
  };
  return { play, seconds, wrong };
}

/** A lab of machines that nobody has touched. */
async function bringUp(inventory: string): Promise<void> {
  await lvsctl('lab', 'down', inventory);
  const { exit, stdout, stderr } = await lvsctl('lab', 'up', inventory);
  if (exit !== 0) throw new Error(`exit ${exit}: ${(stderr || stdout).trim().slice(-400)}`);
}

async function takeDown(inventory: string): Promise<readonly string[]> {
  const { exit, stderr } = await lvsctl('lab', 'down', inventory);
  return exit === 0 ? [] : [`exit ${exit}: ${stderr.trim()}`];
}

async function deployed(inventory: string): Promise<readonly string[]> {
  const { report, stderr } = await lvsctlJson('deploy', inventory, '--lab', '--yes');
  return [...unsuccessful(report), ...failing(report), ...(stderr ? [stderr.trim()] : [])];
}

/** A second deploy changes nothing, on at most three channels a host. */
async function nothingToDo(inventory: string): Promise<readonly string[]> {
  const { report } = await lvsctlJson('deploy', inventory, '--lab', '--yes');
  const changes = report.hosts.flatMap((host) => host.steps.flatMap((step) => step.changes.map(({ title }) => `${host.name}: ${title}`)));
  const busy = report.hosts.filter(({ channels }) => channels > 3).map(({ name, channels }) => `${name} took ${channels} channels`);
  return [...unsuccessful(report), ...changes.map((each) => `a second deploy changes ${each}`), ...busy];
}

async function tornDown(inventory: string): Promise<readonly string[]> {
  const { report } = await lvsctlJson('teardown', inventory, '--lab', '--yes');
  return unsuccessful(report);
}

/** The state of all directors and backends, as a script on each prints it. */
async function snapshots(cluster: Cluster): Promise<Snapshots> {
  const hosts = cluster.fleet.hosts.filter(({ role }) => role !== 'client');
  const taken = hosts.map(async ({ name }) => {
    const { exit, said } = await cluster.shell(name, snapshotScript);
    if (exit !== 0) throw new Error(`${name}: the snapshot failed, exit ${exit}: ${said.slice(-400)}`);
    return [name, said] as const;
  });
  return new Map(await Promise.all(taken));
}

function differences(before: Snapshots, after: Snapshots): readonly string[] {
  return [...before].flatMap(([host, was]) => compareSnapshots(was, after.get(host) ?? '').map((line) => `${host}: ${line}`));
}

function unsuccessful(report: Report): readonly string[] {
  if (report.exitCode === 0) return [];
  const hosts = report.hosts.flatMap((host) => [
    ...(host.status === 'unreachable' ? [`${host.name} unreachable: ${host.why}`] : []),
    ...host.steps.filter(({ status }) => status === 'failed').map(({ name, why }) => `${host.name}: ${name}: ${why}`),
    ...host.steps
      .flatMap(({ changes }) => changes.filter(({ status }) => status === 'failed'))
      .map(({ title, output }) => `${host.name}: ${title}: ${output}`),
  ]);
  return [`exit ${report.exitCode}`, ...hosts, ...report.notes];
}

function failing(report: Report): readonly string[] {
  const failed = report.checks.filter(({ status }) => status === 'fail');
  const lines = failed.map(({ id, host, found, expected }) => `${id} on ${host}: found ${found}; expected ${expected}`);
  if (lines.length > 0) return lines;
  if (report.exitCode !== 0) return [`exit ${report.exitCode}`, ...report.notes];
  return report.checks.some(({ status }) => status === 'pass') ? [] : ['no check has passed'];
}
