/** A host to run against that is a machine of the lab: for what needs a kernel, a power cord or a clock of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CliResult, lvsctl } from '../support/cli.ts';
import { must } from './fault.ts';
import { playbook } from './target.ts';

/** On machines of the lab: time for what takes a second elsewhere. */
const patience = 240_000;

export interface LabTarget {
  /** `deploy --yes` of a playbook of these tasks on web1, with the handler `tell`. */
  deploy(tasks: string): Promise<CliResult>;
  /** Shell on the host, as root; its output. Throws when it cannot be reached. */
  shell(script: string): Promise<string>;
  power(state: 'off' | 'on'): Promise<void>;
  /** Waits until the host answers. */
  back(): Promise<void>;
  /** Waits until this shell on the host ends well. */
  until(test: string): Promise<void>;
  /** A task of the playbooks' own: the text of its module. */
  ownTask(name: string, module: string): void;
}

/** What goes wrong on a machine of the lab; the rows share one, and each leaves its /srv empty. */
export interface LabFault {
  readonly fault: string;
  readonly holds: string;
  readonly tries: number;
  /** SELinux is on: everything takes much longer there. */
  readonly selinux?: boolean;
  /** Tries are counted from 0. */
  readonly play: (target: LabTarget, number: number) => Promise<void>;
}

/** Boots the machine, does the work, and takes the lab down, whatever came of it. */
export async function withLab(selinux: boolean, work: (target: LabTarget) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-faults-'));
  mkdirSync(join(folder, 'tasks'));
  const inventory = join(folder, 'lab.yaml');
  writeFileSync(inventory, inventoryText(selinux));
  try {
    const up = await lvsctl('lab', 'up', inventory);
    must(up.exit === 0, 'the lab comes up', up.stderr.slice(-2000));
    await work(labTarget(folder, inventory));
  } finally {
    await lvsctl('lab', 'down', inventory);
    rmSync(folder, { recursive: true });
  }
}

function labTarget(folder: string, inventory: string): LabTarget {
  const book = join(folder, 'book.yaml');
  const exec = (script: string) => lvsctl('lab', 'exec', inventory, 'web1', '--', script);
  const shell = async (script: string): Promise<string> => {
    const { exit, stdout, stderr } = await exec(script);
    must(exit === 0, `\`${script}\` on the host ends well`, `${stdout}${stderr}`);
    return stdout.replace(/^web1: /gm, '');
  };
  const wait = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const end = Date.now() + patience;
    while (!(await holds())) {
      must(Date.now() < end, what, `not within ${patience / 1000} s`);
      await pause(500);
    }
  };
  return {
    shell,
    deploy: async (tasks) => {
      writeFileSync(book, playbook(tasks));
      return lvsctl('deploy', inventory, '--lab', '--playbook', book, '--yes', '--limit', 'web1');
    },
    power: async (state) => {
      const { exit, stderr } = await lvsctl('lab', 'power', inventory, 'web1', state);
      must(exit === 0, `power ${state}`, stderr);
    },
    back: () => wait('the host answers', async () => (await exec('true')).exit === 0),
    until: (test) => wait(`it comes to \`${test}\``, async () => (await exec(test)).exit === 0),
    ownTask: (name, module) => writeFileSync(join(folder, 'tasks', `${name}.js`), module),
  };
}

/** Each kind of lab has a name of its own. */
function inventoryText(selinux: boolean): string {
  return `cluster: ${selinux ? 'faults-selinux' : 'faults'}
lab: { memory: 512${selinux ? ', selinux: permissive' : ''} }
vrrp: { id: 62, interface: eth0 }
services:
  - { vip: 10.18.62.30, port: 80, scheduler: rr, backends: all }
directors:
  dr1: { address: 10.18.62.10, priority: 100 }
backends:
  web1: { address: 10.18.62.13 }
`;
}
