import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import { commandPath } from '../machine/run.ts';
import { hasWideRegisters } from './wide-registers.ts';

/** Command → the Debian package that carries it. */
const packageOf: Readonly<Record<string, string>> = {
  'dpkg-deb': 'dpkg',
  patchelf: 'patchelf',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  'apt-ftparchive': 'apt-utils',
  ethtool: 'ethtool',
  ip: 'iproute2',
  'ssh-keygen': 'openssh-client',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
};

/** Wanted beside those where the processor has wider registers than the lab's kernel knows. */
const compiler: typeof packageOf = { gcc: 'gcc' };

/** This machine, as far as the lab cares. */
export interface Machine {
  readonly platform: string;
  readonly architecture: string;
  readonly root: boolean;
  /** Its processor has AMX. */
  readonly wideRegisters: boolean;
  readonly hasCommand: (name: string) => boolean;
  readonly hasFile: (path: string) => boolean;
}

/** Throws LvsError (exit 4) that names all that is missing at once, and the one command that mends it. */
export function checkRequirements(machine: Machine = thisMachine()): void {
  if (machine.platform !== 'linux') throw missing(`the lab needs Linux; this is ${machine.platform}`, 'run it on a Debian machine');
  if (machine.architecture !== 'x64') {
    throw missing(`the lab needs a 64-bit x86 machine (user-mode-linux has no other); this is ${machine.architecture}`);
  }
  if (!machine.hasCommand('apt-get')) throw missing('the lab needs Debian (apt-get is missing)', 'run it on a Debian machine');
  const wanted = { ...packageOf, ...(machine.wideRegisters && compiler) };
  const commands = Object.keys(wanted).filter((command) => !machine.hasCommand(command));
  if (commands.length > 0) {
    const packages = [...new Set(commands.map((command) => wanted[command]))];
    throw missing(
      `the lab needs ${commands.join(', ')}`,
      `\`apt-get install --no-install-recommends ${packages.join(' ')}\` as root mends it`,
    );
  }
  if (!machine.root) throw missing('the lab needs root (it makes network namespaces)', 'run the same command with sudo');
  if (!machine.hasFile('/dev/net/tun')) {
    throw missing('the lab needs /dev/net/tun', '`modprobe tun` as root mends it; a container needs the device passed in');
  }
}

function missing(message: string, hint?: string): LvsError {
  return new LvsError(message, { code: 'lab.requirement', exitCode: EXIT.badInput, ...(hint && { hint }) });
}

function thisMachine(): Machine {
  const folders = commandPath().split(delimiter);
  const executable = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return {
    platform: process.platform,
    architecture: process.arch,
    root: process.getuid?.() === 0,
    wideRegisters: hasWideRegisters(),
    hasCommand: (name) => folders.some((folder) => folder !== '' && executable(join(folder, name))),
    hasFile: existsSync,
  };
}
