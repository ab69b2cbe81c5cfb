/** What the bench runs against: real sshds on loopback and a playbook of forty steps that need nothing. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../src/model.ts';
import { type Sshd, startSshd } from '../test/support/sshd.ts';
import { makeHome, section } from '../test/support/sshd-trust.ts';

export interface BenchFleet {
  readonly playbook: string;
  readonly steps: number;
  /** With an ssh_config and known hosts for all of them. */
  readonly home: string;
  /** The probe script that a host got last. */
  readonly script: (host: string) => string;
  readonly stop: () => Promise<void>;
}

/** One sshd for every host, on the address that the inventory gives it; the addresses must be this machine's. */
export async function startFleet(folder: string, hosts: readonly Host[]): Promise<BenchFleet> {
  const script = (host: string): string => join(folder, `${host}.script`);
  const servers = await Promise.all(hosts.map(({ name, address }) => serve(address, script(name))));
  const each = servers.map((sshd, index) => ({ sshd, name: hosts[index]?.name ?? '', address: hosts[index]?.address ?? '' }));
  const sections = each.map(({ sshd, name, address }) => section(name, sshd, 'User root').replace('127.0.0.1', address));
  const known = each.map(({ sshd, address }) => `[${address}]:${sshd.port} ${sshd.hostKeys.ed25519}\n`);
  const home = makeHome(folder, `${sections.join('')}Host *\n  UserKnownHostsFile ${folder}/known_hosts\n`, []);
  writeFileSync(join(folder, 'known_hosts'), known.join(''));
  const { text, steps } = playbookText(folder);
  writeFileSync(join(folder, 'playbook.yaml'), text);
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((sshd) => sshd.stop())));
  return { playbook: join(folder, 'playbook.yaml'), steps, home, script, stop };
}

/** Keeps what it is sent, once, when asked to: afterwards it is in nobody's way. */
function serve(address: string, script: string): Promise<Sshd> {
  return startSshd({
    config: [`ListenAddress ${address}`, `ForceCommand if [ -e ${script} ]; then exec /bin/sh; else tee ${script} | /bin/sh; fi`],
  });
}

/** Files, directories, accounts and lines, as they are on any Debian and in `folder`. */
function playbookText(folder: string): { readonly text: string; readonly steps: number } {
  const files = join(mkdtempSync(join(folder, 'files-')));
  const numbers = Array.from({ length: 10 }, (_, number) => number);
  for (const number of numbers) {
    writeFileSync(join(files, `file-${number}`), `line ${number}\n`.repeat(40), { mode: 0o644 });
    mkdirSync(join(files, `folder-${number}`), { mode: 0o755 });
  }
  const content = (number: number): string => JSON.stringify(`line ${number}\n`.repeat(40));
  const steps = [
    ...numbers.map((number) => `file: { path: ${files}/file-${number}, content: ${content(number)} }`),
    ...numbers.map((number) => `file: { path: ${files}/folder-${number}, state: directory }`),
    ...['root', 'adm', 'tty', 'disk', 'mail'].map((name) => `group: { name: ${name} }`),
    ...['root', 'bin', 'sys', 'games', 'mail'].map((name) => `user: { name: ${name} }`),
    ...numbers.map((number) => `line_in_file: { path: ${files}/file-${number}, line: line ${number} }`),
  ];
  const tasks = steps.map((step, index) => `    - name: step ${index + 1}\n      ${step}\n`);
  return { text: `- name: nothing to do\n  hosts: directors:backends\n  tasks:\n${tasks.join('')}`, steps: steps.length };
}
