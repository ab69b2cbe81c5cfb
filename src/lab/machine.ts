import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { LabSettings } from '../model.ts';
import type { LabHost } from './layout.ts';
import { namespaceOf } from './places.ts';
import { endAll, type Process, processes } from './processes.ts';
import { commandPath } from './run.ts';

/** All that a machine needs to start, now or again. */
export interface MachinePlan {
  readonly lab: string;
  readonly directory: string;
  readonly host: LabHost;
  /** The image's disk. */
  readonly disk: string;
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
    ...['root=/dev/ubda', 'rootfstype=ext4', 'rw', 'fsck.mode=skip', 'con=null', 'con0=null,fd:1', 'ssl=null', 'quiet', 'loglevel=4'],
    // Without a policy the module would only pretend.
    settings.selinux ? 'security=selinux' : 'selinux=0',
    ...host.nics.map((nic, index) => `vec${index}:transport=tap,ifname=${nic.tap},depth=64,mac=${nic.mac}`),
  ];
}

/** The pid file's folder; the kernel writes it anew at every boot. The host's own name may be too long for a socket in there. */
export function umid(host: LabHost): string {
  return host.nics[0]?.tap.replace(/\..*/, '') ?? 'machine';
}

/**
 * Powers a machine on: a process group of its own in the lab's namespace, with its memory on a file system of memory that vanishes
 * with it. It goes on when this process ends, and starts itself again when it reboots.
 */
export function startMachine(plan: MachinePlan): void {
  const memory = join(plan.directory, 'memory');
  mkdirSync(memory, { recursive: true });
  const console = openSync(consoleFile(plan.directory, plan.host.name), 'a', 0o600);
  // The file is sparse and bigger than the memory; the limit only stops a runaway.
  const start = 'mount -t tmpfs -o size="$1",mode=0700 lvsctl-lab "$2" && export TMPDIR="$2" && shift 2 && exec linux.uml "$@"';
  const child = spawn(
    'ip',
    ['netns', 'exec', namespaceOf(plan.lab), 'sh', '-c', start, 'sh', `${plan.settings.memory * 2}m`, memory, ...kernelArguments(plan)],
    { detached: true, stdio: ['ignore', console, console], cwd: '/', env: { PATH: commandPath(), HOME: plan.directory } },
  );
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
