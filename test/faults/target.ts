/**
 * A host to run against, which is this machine with folders of its own: a real sshd in a mount namespace whose /run/lvsctl, /var/lib/lvsctl,
 * /var/cache/lvsctl, /var/log/lvsctl and /srv nobody else sees, behind a proxy that can cut, hold and slow down. Control machines are processes of lvsctl,
 * as users start them, each with a home of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../support/cli.ts';
import { withOwn } from '../support/isolated-sshd.ts';
import { type AccountOptions, startSshdWithAccount } from '../support/own-etc.ts';
import { type CuttingProxy, startProxy } from '../support/proxy.ts';
import { makeKey, type Sshd, type SshdOptions, startSshd } from '../support/sshd.ts';
import { makeHome, section } from '../support/sshd-trust.ts';

export interface Run {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of lvsctl that goes on. */
export interface Going {
  readonly ended: Promise<Run>;
  /** All that it has printed so far. */
  readonly heard: () => string;
  kill(signal: NodeJS.Signals): void;
}

export interface Target {
  readonly proxy: CuttingProxy;
  /** Of sshd itself, behind the proxy. */
  readonly port: number;
  /** Starts lvsctl with the inventory of the target: `lvsctl VERB INVENTORY MORE`. */
  start(verb: readonly string[], ...more: readonly string[]): Going;
  run(verb: readonly string[], ...more: readonly string[]): Promise<Run>;
  /** `deploy --yes` of the playbook of these tasks; see `playbook`. */
  deploy(tasks: string, ...more: readonly string[]): Promise<Run>;
  begin(tasks: string): Going;
  /** Path of the last playbook that was deployed. */
  readonly book: string;
  /** A task of the playbooks' own: the text of its module. */
  ownTask(name: string, module: string): void;
  /** From now on the control machine knows this key for the host and no other; `marker` is that of a line of known_hosts. */
  know(key: string, marker?: string): void;
  /** Makes a key of somebody's; its public half, `TYPE BASE64`. */
  newKey(name: string): string;
  /** Folder of the files of sshd. */
  readonly folder: string;
  /** All that sshd has logged so far. */
  log(): string;
  /** Runs shell on the host, past the proxy; its output. */
  shell(script: string): string;
  /** The same on web2, where there is one. */
  shellBeside(script: string): string;
  close(): Promise<void>;
}

export interface TargetOptions extends SshdOptions {
  /** Shell that is run in the mount namespace before sshd is; `$dir` is the folder of the files of sshd. */
  readonly prepare?: string;
  /** Who logs in is `deploy`, with these rules of sudo; otherwise root. */
  readonly account?: Pick<AccountOptions, 'shell' | 'sudoers' | 'bashrc'>;
  /** Further environment of lvsctl. */
  readonly env?: Readonly<Record<string, string>>;
  /** lvsctl is not shown the file of the key, but an agent that listens on `agent.sock` in the folder. */
  readonly byAgent?: boolean;
  /** There is a web2 beside it, a host like it to which nothing happens. */
  readonly beside?: boolean;
}

/** In a network of the tests' own: see run.ts. */
export const address = '10.18.61.13';
export const addressBeside = '10.18.61.14';

const own = ['/run/lvsctl', '/var/lib/lvsctl', '/var/cache/lvsctl', '/var/log/lvsctl', '/srv'];

interface Machine {
  readonly sshd: Sshd;
  readonly proxy: CuttingProxy;
  /** Its lines of known_hosts, and its section of ssh_config. */
  readonly known: string;
  readonly section: string;
  shell(script: string): string;
  stop(): Promise<void>;
}

async function openMachine(name: string, at: string, { prepare = ':', account, ...options }: TargetOptions): Promise<Machine> {
  // In the namespace of its own, whatever it does there.
  const within = (dir: string): readonly string[] => [
    ...withOwn(own),
    ...['sh', '-c', `dir=${dir}\n${prepare}\necho $$ >${dir}/pid\nexec "$@"`, 'sh'],
  ];
  const sshd = await (account
    ? startSshdWithAccount({ ...options, ...account, after: within })
    : startSshd({ ...options, startedBy: within }));
  const proxy = await startProxy(sshd.port, at);
  const pid = (): string => execFileSync('cat', [join(sshd.dir, 'pid')], { encoding: 'utf8' }).trim();
  return {
    sshd,
    proxy,
    known: sshd.knownHostsLine.replaceAll(`[127.0.0.1]:${sshd.port} `, `[${at}]:${proxy.port} `),
    section: section(name, sshd, 'ServerAliveInterval 1', 'ServerAliveCountMax 3').replace(`Port ${sshd.port}`, `Port ${proxy.port}`),
    shell: (script) => execFileSync('nsenter', ['-t', pid(), '-m', '--', 'sh', '-c', script], { encoding: 'utf8' }),
    stop: async () => {
      await proxy.stop();
      await sshd.stop();
    },
  };
}

export async function openTarget(options: TargetOptions = {}): Promise<Target> {
  const { account, env, byAgent = false } = options;
  const web1 = await openMachine('web1', address, options);
  const { sshd, proxy } = web1;
  const web2 = options.beside ? await openMachine('web2', addressBeside, {}) : undefined;
  const machines = [web1, ...(web2 ? [web2] : [])];
  const home = makeHome(
    sshd.dir,
    machines.map((each) => each.section.replace(/^.*Identit.*\n/gm, (line) => (byAgent ? '' : line))).join(''),
    machines.map(({ known }) => known),
  );
  const folder = join(sshd.dir, 'control');
  mkdirSync(folder);
  const inventory = join(folder, 'faults.yaml');
  writeFileSync(inventory, inventoryText(account !== undefined, web2 !== undefined));
  const children = new Set<ChildProcess>();
  const start = (verb: readonly string[], ...more: readonly string[]): Going => {
    const [program, ...words] = command;
    const child = spawn(program, [...words, ...verb, inventory, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        HOME: home,
        NO_COLOR: '1',
        SSH_AUTH_SOCK: byAgent ? join(sshd.dir, 'agent.sock') : '',
        XDG_STATE_HOME: join(home, 'state'),
        LVSCTL_CACHE: join(home, 'cache'),
        ...env,
      },
    });
    children.add(child);
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    const ended = once(child, 'close').then(([exit]) => {
      children.delete(child);
      return { exit: exit as number | null, ...said };
    });
    return { ended, heard: () => said.stdout + said.stderr, kill: (signal) => void child.kill(signal) };
  };
  let books = 0;
  const bookPath = (): string => join(folder, `book-${books}.yaml`);
  const begin = (tasks: string, ...more: readonly string[]): Going => {
    books += 1;
    writeFileSync(bookPath(), playbook(tasks));
    return start(['deploy'], '--playbook', bookPath(), '--yes', '--limit', 'web1', ...more);
  };
  return {
    proxy,
    port: sshd.port,
    start,
    run: (verb, ...more) => start(verb, ...more).ended,
    begin,
    get book() {
      return bookPath();
    },
    deploy: (tasks, ...more) => begin(tasks, ...more).ended,
    ownTask: (name, module) => {
      mkdirSync(join(folder, 'tasks'), { recursive: true });
      writeFileSync(join(folder, 'tasks', `${name}.js`), module);
    },
    know: (key, marker = '') => writeFileSync(join(home, '.ssh', 'known_hosts'), `${marker}[${address}]:${proxy.port} ${key}\n`),
    newKey: (name) => makeKey(join(sshd.dir, name), 'ed25519'),
    folder: sshd.dir,
    log: () => sshd.log(),
    shell: (script) => web1.shell(script),
    shellBeside: (script) => {
      if (!web2) throw new Error('this target has no web2');
      return web2.shell(script);
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      for (const each of machines) await each.stop();
    },
  };
}

const inventoryText = (account: boolean, beside: boolean): string => `cluster: faults
${account ? 'ssh: { user: deploy, sudo: true }\n' : ''}vrrp: { id: 61, interface: eth0 }
services:
  - { vip: 10.18.61.30, port: 80, scheduler: rr, backends: all }
directors:
  dr1: { address: 10.18.61.10, priority: 100 }
backends:
  web1: { address: ${address} }
${beside ? `  web2: { address: ${addressBeside} }\n` : ''}`;

/** Tasks on the backends, of which `deploy` leaves out all but web1, and a handler `tell` that writes a line to /srv/told. */
export function playbook(tasks: string): string {
  return `- name: faults
  hosts: backends
  tasks:
${tasks}
  handlers:
    - { name: tell, command: { run: "echo told >>/srv/told" } }
`;
}

/** A step that notes in /srv/marks when it begins and ends, and takes a while; it notifies the handler. */
export function marked(name: string, seconds = 0.1): string {
  const run = `echo begin ${name} >>/srv/marks; sleep ${seconds}; echo end ${name} >>/srv/marks; touch /srv/${name}`;
  return `    - { name: ${name}, command: { run: "${run}", creates: /srv/${name} }, notify: tell }\n`;
}

/** As `marked`, but it goes on when the file /srv/hold-NAME is gone. */
export function held(name: string): string {
  return marked(name).replace('sleep 0.1', `while [ -e /srv/hold-${name} ]; do sleep 0.05; done`);
}
