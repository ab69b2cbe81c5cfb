/**
 * The keepalived of a Debian release, in a root of its own, for `keepalived -t`. Roots are made once and kept with the lab's images.
 * A configuration is tested in namespaces of its own: interfaces that it names, and scripts, must be there. Needs root.
 */
import { spawnSync } from 'node:child_process';
import type { LabSettings } from '../../src/model.ts';
import { debianRoot } from './debian-root.ts';

export interface KeepalivedRoot {
  /** `2.2.7`. */
  readonly version: string;
  readonly path: string;
}

export function keepalivedRoot(release: LabSettings['release']): KeepalivedRoot {
  const path = debianRoot(release, ['keepalived'], `keepalived/${release}`);
  const said = spawnSync('chroot', [path, 'keepalived', '-v'], { encoding: 'utf8' });
  return { path, version: /^Keepalived v([\d.]+)/m.exec(said.stderr + said.stdout)?.[1] ?? 'unknown' };
}

export interface Verdict {
  readonly exit: number;
  readonly says: string;
}

/** What keepalived says of a configuration on a host with these interfaces (name → addresses) and scripts. */
export function testConfiguration(
  { path }: KeepalivedRoot,
  text: string,
  interfaces: Readonly<Record<string, readonly string[]>>,
  scripts: readonly string[],
): Verdict {
  const nics = Object.entries(interfaces).flatMap(([name, addresses], index) => [
    `ip link add ${name} type veth peer name other${index} && ip link set ${name} up && ip link set other${index} up`,
    ...addresses.map((address) => `ip address add ${address} dev ${name}`),
  ]);
  const files = scripts.map((script) => `printf '#!/bin/sh\\n' >"$root${script}" && chmod 755 "$root${script}"`);
  const commands = [
    'set -e; root=$1',
    'mount -t tmpfs none "$root/tmp"; mount -t proc none "$root/proc"; mount -t tmpfs -o mode=755 none "$root/usr/libexec"',
    'mkdir -m 755 "$root/usr/libexec/keepalived"; cat >"$root/tmp/keepalived.conf"',
    ...nics,
    ...files,
    'exec chroot "$root" keepalived -t -f /tmp/keepalived.conf',
  ];
  const words = ['--mount', '--net', 'sh', '-c', commands.join('\n'), 'sh', path];
  const { status, stderr, stdout } = spawnSync('unshare', words, { input: text, encoding: 'utf8', timeout: 60_000 });
  return { exit: status ?? -1, says: (stdout + stderr).trim() };
}
