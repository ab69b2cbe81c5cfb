/**
 * `npm run bench`: a run of lvsctl that finds nothing to do, beside `ssh HOST sh` with the same probe script, against real sshds on
 * loopback. Reports; with --assert it also exits with 1 when a goal is missed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadInventory } from '../src/inventory/load.ts';
import type { Host } from '../src/model.ts';
import { type BenchFleet, startFleet } from './fleet.ts';
import { type Command, peakMemory, processesOf, timeInTurn } from './measure.ts';

const goals = { ratio: 1.5, memory: 150 };
const rounds = Number(process.env.BENCH_ROUNDS ?? 11);
const root = fileURLToPath(new URL('..', import.meta.url));
const inventory = join(root, 'inventory/dr.yaml');

/** What is missing here, in words; empty when nothing is. */
function missing(): string {
  const needed = {
    ssh: 'openssh-client',
    '/usr/sbin/sshd': 'openssh-server',
    ip: 'iproute2',
    unshare: 'util-linux',
    setpriv: 'util-linux',
  };
  const absent = Object.entries(needed).filter(([command]) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0);
  if (absent.length > 0) return `the bench needs ${absent.map(([command, name]) => `${command} (package ${name})`).join(', ')}`;
  return process.getuid?.() === 0 ? '' : 'the bench needs root: it makes a network of its own';
}

/** The addresses of the inventory are this machine's, in a network of its own in which there is nothing else. */
function enterNetwork(): never {
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...self], {
    stdio: 'inherit',
    env: { ...process.env, BENCH_INSIDE: 'yes' },
  });
  process.exit(status ?? 1);
}

interface Row {
  readonly hosts: number;
  readonly node: number;
  /** A run that has read everything and has no host. */
  readonly idle: number;
  readonly lvsctl: number;
  readonly ssh: number;
  readonly ratio: number;
  readonly memory: number;
}

async function measure(folder: string, fleet: BenchFleet, hosts: readonly Host[]): Promise<Row> {
  const names = hosts.map(({ name }) => name);
  const env = { HOME: fleet.home, SSH_AUTH_SOCK: '', LVSCTL_CACHE: join(folder, 'cache') };
  const plan = (limit: string): Command => ({
    words: [process.execPath, join(root, 'bin/lvsctl.js'), 'plan', inventory, '-p', fleet.playbook, '--limit', limit],
    env,
  });
  const lvsctl = plan(names.join(':'));
  const memory = await peakMemory(lvsctl, folder);
  const ssh = names.map((name) => ({ words: ['ssh', '-F', join(fleet.home, '.ssh/config'), name, '/bin/sh'], input: fleet.script(name) }));
  const taken = await timeInTurn(rounds, {
    node: [{ words: [process.execPath, '-e', '0'] }],
    idle: [plan('clients')],
    lvsctl: [lvsctl],
    ssh,
  });
  return { ...taken, hosts: names.length, memory, ratio: (taken.lvsctl - taken.node) / taken.ssh };
}

async function bench(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-bench-'));
  const hosts = loadInventory(inventory).fleet.hosts.filter(({ role }) => role !== 'client');
  for (const { address } of hosts) execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  const fleet = await startFleet(folder, hosts);
  try {
    const four = await measure(folder, fleet, hosts);
    const one = await measure(folder, fleet, hosts.slice(-1));
    const processes = processesOf(fleet.script(hosts[0]?.name ?? ''));
    show([one, four], fleet.steps, processes);
    return [one, four].every(({ ratio }) => ratio <= goals.ratio) && four.memory <= goals.memory;
  } finally {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function show(rows: readonly Row[], steps: number, processes: number): void {
  const line = (...cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(36) : cell.padStart(12))).join('');
  const row = (title: string, cell: (row: Row) => string): string => line(title, ...rows.map(cell));
  const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;
  const said = [
    `${steps} steps, nothing to do, median of ${rounds}`,
    row('', ({ hosts }) => `${hosts} host${hosts === 1 ? '' : 's'}`),
    row('lvsctl plan', ({ lvsctl }) => milliseconds(lvsctl)),
    row('  of it Node’s own start', ({ node }) => milliseconds(node)),
    row('  loading and reading itself', ({ idle, node }) => milliseconds(idle - node)),
    row('  the hosts', ({ lvsctl, idle }) => milliseconds(lvsctl - idle)),
    row('ssh HOST sh < the same script', ({ ssh }) => milliseconds(ssh)),
    row(`ratio, Node’s start aside (≤ ${goals.ratio})`, ({ ratio }) => ratio.toFixed(2)),
    row(`peak memory (≤ ${goals.memory} MiB)`, ({ memory }) => `${memory.toFixed(0)} MiB`),
    `processes on a host: ${processes} for facts and ${steps} probes, ${(processes / steps).toFixed(1)} a probe`,
  ];
  process.stdout.write(`${said.join('\n')}\n`);
}

const lack = missing();
if (lack !== '') {
  process.stderr.write(`${lack}\n`);
  process.exitCode = 4;
} else if (process.env.BENCH_INSIDE !== 'yes') {
  enterNetwork();
} else if (!(await bench()) && process.argv.includes('--assert')) {
  process.exitCode = 1;
}
