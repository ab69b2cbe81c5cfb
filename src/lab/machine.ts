import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandPath } from '../machine/run.ts';
import type { LabSettings } from '../model.ts';
import type { LabHost } from './layout.ts';
import { namespaceOf } from './places.ts';
import { endAll, type Process, processes } from './processes.ts';
import { registerLibrary } from './wide-registers.ts';

/** All that a machine needs to start, now or again. */
export interface MachinePlan {
  readonly lab: string;
  readonly directory: string;
  readonly host: LabHost;
  /** The image's disk. */
  readonly disk: string;
  /** Path of the kernel. */
  readonly kernel: string;
  readonly settings: LabSettings;
}

/** What the machine writes to its console. */
export function consoleFile(directory: string, host: string): string {
  return join(directory, `${host}.console`);
}

/**
 * The kernel's command line. `ubda` is the machine's disk over the image's, `ubdb` the archive that makes it itself on its first boot.
 * Pure.
 */
export function kernelArguments({ directory, host, disk, settings }: MachinePlan): readonly string[] {
  return [
    `mem=${settings.memory}M`,
    ...[`uml_dir=${directory}/uml/`, `umid=${umid(host)}`],
    `ubd0=${diskOf(directory, host.name)},${disk}`,
    `ubd1r=${directory}/${host.name}.tar`,
    ...['root=/dev/ubda', 'rootfstype=ext4', 'rw', 'fsck.mode=skip', 'con=null', 'con0=null,fd:1', 'ssl=null'],
    // Five hundred terminals of the old kind, which udev would go through one by one.
    'pty.legacy_count=0',
    // As Debian has it. SELinux without a policy would only pretend to be there.
    `lsm=yama,loadpin,safesetid,integrity,${settings.selinux ? 'selinux' : 'apparmor'}`,
    ...host.nics.map((nic, index) => `vec${index}:transport=tap,ifname=${nic.tap},depth=64,mac=${nic.mac}`),
  ];
}

/** The pid file's folder; the kernel writes it anew at every boot. The host's own name may be too long for a socket in there. */
export function umid(host: LabHost): string {
  return host.nics[0]?.tap.replace(/\..*/, '') ?? 'machine';
}

/**
 * Becomes the machine. The kernel restarts itself by running its own name again with every file still open, and a tap that is open
 * cannot be opened again: so its name is this script, which closes them. The first time, it also gives the machine a file system of
 * memory for its memory, which nobody else sees and which vanishes with it.
 */
const machineScript = `#!/bin/bash
ulimit -c 0
if [ -z "$TMPDIR" ]; then
  mount -t tmpfs -o "size=$LVSCTL_MEMORY,mode=0700" lvsctl-lab "$HOME/memory" || exit
  export TMPDIR="$HOME/memory"
fi
for file in /proc/self/fd/*; do
  file=\${file##*/}
  if [ "$file" -gt 2 ] && [ "$file" -ne 255 ]; then eval "exec $file>&-"; fi
done
exec -a "$0" "$LVSCTL_KERNEL" "$@"
`;

/** Makes what every machine of the lab in `directory` needs to start. Once: a machine that starts must not see it half written. */
export function prepareMachines(directory: string): void {
  mkdirSync(join(directory, 'memory'));
  writeFileSync(join(directory, 'machine'), machineScript, { mode: 0o700 });
}

/**
 * Powers a machine on, as a process group of its own in the lab's namespace. It goes on when this process ends, and starts itself
 * again when it reboots.
 */
export function startMachine(plan: MachinePlan): void {
  const script = join(plan.directory, 'machine');
  const library = registerLibrary();
  const console = openSync(consoleFile(plan.directory, plan.host.name), 'a', 0o600);
  const child = spawn('ip', ['netns', 'exec', namespaceOf(plan.lab), script, ...kernelArguments(plan)], {
    detached: true,
    stdio: ['ignore', console, console],
    cwd: '/',
    // The memory's file is sparse and longer than the memory; the limit only stops a runaway.
    env: {
      PATH: commandPath(),
      HOME: plan.directory,
      LVSCTL_KERNEL: plan.kernel,
      LVSCTL_MEMORY: `${plan.settings.memory * 2}m`,
      ...(library !== undefined && { LD_PRELOAD: library }),
    },
  });
  child.on('error', () => {}); // seen as a machine that does not run
  child.unref();
  closeSync(console);
}

/** The process that is the machine; undefined when it is off. */
export function machineProcess(directory: string, host: string): Process | undefined {
  return processes().find((process) => isMachine(process, directory, host));
}

/** Power cut: ends the machine's process group at once, and waits for it. What was not yet on its disk is lost. */
export async function cutPower(directory: string, host: string): Promise<void> {
  const leader = machineProcess(directory, host);
  if (leader) await endAll(() => processes().filter((process) => process.group === leader.pid));
}

/** True for the leader only: the processes of its userland share no command line with it. */
function isMachine(process: Process, directory: string, host: string): boolean {
  return process.pid === process.group && process.arguments.some((word) => word.startsWith(`ubd0=${diskOf(directory, host)},`));
}

function diskOf(directory: string, host: string): string {
  return join(directory, `${host}.cow`);
}
