/**
 * The hosts of the example cluster as root shells on this machine, each with a /srv, a /run, a /var/lib and a /var/log of its own that last until the test
 * ends: what runs on them is real, the runner included, and nothing of it is left.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/apply/artefacts/store.ts';
import { LvsError } from '../../src/errors.ts';
import { type Answer, type Flow, run } from '../../src/flow.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { selectHosts } from '../../src/inventory/select.ts';
import type { Event, Report } from '../../src/model.ts';
import { type BindOptions, bindPlaybook } from '../../src/playbook/bind.ts';
import { parsePlaybook } from '../../src/playbook/load.ts';
import { loadRegistry, type Registry } from '../../src/playbook/registry.ts';
import { rollbackOf, type Wanted } from '../../src/rollback/rollback.ts';
import { Secrets } from '../../src/sh/secret.ts';
import type { Connection, Transport } from '../../src/transport/transport.ts';

const { fleet } = loadInventory('inventory/dr.yaml');
const known = await loadRegistry();

export interface IsolatedFleet {
  /** Deploys the playbook, answering yes; `plan` asks nothing and touches nothing. */
  deploy(text: string, options?: RunOptions): Promise<Report>;
  plan(text: string, options?: RunOptions): Promise<Report>;
  /** Puts files back, answering yes; with `check` nothing is touched. */
  rollback(wanted?: Partial<Wanted>, options?: RunOptions & { readonly check?: boolean }): Promise<Report>;
  /** What was begun and ended, in order: `web1 begin TITLE`. */
  readonly story: readonly string[];
  write(host: string, name: string, text: string): void;
  /** The file in the host's /srv; undefined where there is none. */
  read(host: string, name: string): string | undefined;
  /** Runs a script on the host, as root. */
  shell(host: string, script: string): void;
  /** Folder of the control machine's store. */
  readonly store: string;
  /** What the host has kept of its runs; undefined where it keeps nothing. */
  history(host: string): string | undefined;
  close(): void;
}

export interface RunOptions extends BindOptions, Partial<Pick<Flow, 'serial' | 'maxFail' | 'forks' | 'stop'>> {
  readonly tasks?: Registry['tasks'];
  readonly checks?: Registry['checks'];
  /** Makes the playbook's checks at the end. */
  readonly verify?: boolean;
  readonly unreachable?: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
  readonly answer?: (report: Report, plan: Parameters<Flow['confirm']>[0]) => Answer;
}

export function isolatedFleet(): IsolatedFleet {
  const root = mkdtempSync(join(tmpdir(), 'lvsctl-fleet-'));
  const folder = (host: string, name: string): string => join(root, host, name);
  for (const { name } of fleet.hosts)
    for (const part of ['srv', 'run', 'cache', 'lib', 'log']) mkdirSync(folder(name, part), { recursive: true });
  const story: string[] = [];
  let runs = 0;
  const flowOf = (command: string, options: RunOptions): Omit<Flow, 'bind'> => {
    story.length = 0;
    const secrets = new Secrets(new Map(Object.entries(options.secrets ?? {})));
    runs += 1;
    const registry: Registry = {
      tasks: new Map([...known.tasks, ...(options.tasks ?? [])]),
      checks: new Map([...known.checks, ...(options.checks ?? [])]),
    };
    return {
      command,
      runId: `run-${runs}`,
      who: 'root@control',
      fleet,
      registry,
      checks: [],
      transport: transportTo(root, options.unreachable ?? []),
      store: openStore(join(root, 'store')),
      forks: options.forks ?? 10,
      serial: options.serial,
      maxFail: options.maxFail,
      stop: options.stop,
      resolve: (value) => secrets.resolve(value),
      conceal: (text) => secrets.conceal(text),
      resume: `lvsctl ${command} inventory/dr.yaml`,
      emit: (event) => tell(story, event),
      confirm: async (plan, report) => (command === 'plan' ? false : (options.answer?.(report, plan) ?? { leaveOut: new Set() })),
    };
  };
  const perform = async (command: string, text: string, options: RunOptions): Promise<Report> => {
    const flow = flowOf(command, options);
    const book = parsePlaybook(text, 'book.yaml');
    const bind: Flow['bind'] = (seen) => bindPlaybook(book, fleet, flow.registry, { ...options, ...(seen && { known: seen }) });
    return run({ ...flow, bind, checks: options.verify ? bind() : [] });
  };
  const rollback: IsolatedFleet['rollback'] = async (wanted = {}, { check = false, ...options } = {}) => {
    const flow = flowOf('rollback', check ? { ...options, answer: () => false } : options);
    const made = await rollbackOf(selectHosts(fleet, options.limit ?? 'all'), { force: false, ...wanted }, { ...flow, bind: () => [] });
    return run({ ...flow, ...made.flow, resume: `${flow.resume} --before ${made.oldest}` });
  };
  return {
    deploy: (text, options = {}) => perform('deploy', text, options),
    plan: (text, options = {}) => perform('plan', text, options),
    rollback,
    story,
    store: join(root, 'store'),
    write: (host, name, text) => writeFileSync(join(folder(host, 'srv'), name), text),
    read: (host, name) => contentOf(join(folder(host, 'srv'), name)),
    shell: (host, script) => void execFileSync('unshare', shellWords(join(root, host)), { input: script }),
    history: (host) => contentOf(join(folder(host, 'log'), 'lvsctl', 'history')),
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

function contentOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function tell(story: string[], event: Event): void {
  if (event.kind === 'begin') story.push(`${event.host} begin ${event.title}`);
  if (event.kind === 'end') story.push(`${event.host} ${event.result} ${event.title}`);
}

function transportTo(root: string, unreachable: readonly string[]): Transport {
  return {
    connect: async (host): Promise<Connection> => {
      if (unreachable.includes(host.name)) throw new LvsError('no route to host', { code: 'ssh.unreachable', exitCode: 5 });
      let channels = 0;
      return {
        host,
        get channels() {
          return channels;
        },
        shell: async () => {
          channels += 1;
          return openShell(join(root, host.name));
        },
        close: () => {},
      };
    },
  };
}

function shellWords(folder: string): readonly string[] {
  const setup = `mount --bind ${folder}/srv /srv && mount --bind ${folder}/run /run && mount --bind ${folder}/cache /var/cache && mount --bind ${folder}/lib /var/lib && mount --bind ${folder}/log /var/log || exit 70; exec sh`;
  return ['--user', '--map-root-user', '--mount', 'sh', '-c', setup];
}

async function openShell(folder: string) {
  const child = spawn('unshare', shellWords(folder), { stdio: 'pipe' });
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([exit]) => ({ exit: exit as number | null }));
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close: () => child.stdin.end() };
}
