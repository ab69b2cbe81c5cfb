/** A home with an ssh_config and known hosts, as somebody has who uses these servers. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, SshSettings } from '../../src/model.ts';
import type { Sshd } from './sshd.ts';

/** Writes `~/.ssh/config` and `~/.ssh/known_hosts` below `parent`; returns the home. */
export function makeHome(parent: string, config: string, knownHosts: readonly string[]): string {
  const home = mkdtempSync(join(parent, 'home-'));
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  writeFileSync(join(home, '.ssh', 'config'), config, { mode: 0o600 });
  writeFileSync(join(home, '.ssh', 'known_hosts'), knownHosts.join(''));
  return home;
}

/** A section that says all that ssh must know of a server. */
export function section(name: string, sshd: Sshd, ...more: readonly string[]): string {
  const lines = ['HostName 127.0.0.1', `Port ${sshd.port}`, `IdentityFile ${sshd.clientKeyFile}`, 'IdentitiesOnly yes', ...more];
  return `Host ${name}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** A host of an inventory that says its address and nothing of ssh. */
export function silentHost(name: string, ssh: Partial<SshSettings> = {}): Host {
  const said = Object.keys(ssh);
  const settings = { user: 'root', port: 22, timeout: 10, ...ssh, said };
  return { name, role: 'backend', address: '127.0.0.1', ssh: settings, interfaces: [], vars: {} };
}
