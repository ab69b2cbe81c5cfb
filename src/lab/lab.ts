import { EXIT, LvsError } from '../errors.ts';
import type { Fleet } from '../model.ts';
import type { Dial } from '../transport/transport.ts';
import { labDial } from './dial.ts';
import { gatewayAnswers } from './gateway-process.ts';
import { type LabHost, layoutOf } from './layout.ts';
import { cutPower, machineProcess, startMachine } from './machine.ts';
import { labDirectory, labName } from './places.ts';
import { type LabState, readState } from './state.ts';

/** A lab that runs: how to reach its machines. */
export interface Lab {
  readonly name: string;
  /** All that it keeps; root only. */
  readonly directory: string;
  /** Opens connections to its machines from outside its namespace. */
  readonly dial: Dial;
  /** Every machine's host key, by name and address. */
  readonly knownHostsFile: string;
  /** The private key that every machine lets in as root. */
  readonly keyFile: string;
  /** The gateway's address beside the first host's; it serves packages over HTTP there. */
  readonly gateway: string;
  readonly hosts: readonly LabHost[];
}

export function describeLab(directory: string, state: LabState): Lab {
  return {
    name: state.layout.name,
    directory,
    dial: labDial(directory),
    knownHostsFile: `${directory}/known_hosts`,
    keyFile: `${directory}/id_ed25519`,
    gateway: state.layout.hosts[0]?.gateway ?? '',
    hosts: state.layout.hosts,
  };
}

/** The lab of this inventory. Throws LvsError (exit 4) when it does not run, or was made for other machines than the inventory's. */
export async function labOf(fleet: Fleet): Promise<Lab> {
  const directory = labDirectory(labName(fleet));
  const state = readState(directory);
  if (!state || !(await gatewayAnswers(directory))) throw notUp(`the lab of ${fleet.file} is not up`, fleet);
  if (state.layout.digest !== layoutOf(fleet).digest) {
    throw notUp(`the lab of ${fleet.file} was made for other hosts or addresses than the file has now`, fleet);
  }
  return describeLab(directory, state);
}

/** The same inventory, reached through its lab: as root, with the lab's key. */
export function rehearse(fleet: Fleet, lab: Lab): Fleet {
  const hosts = fleet.hosts.map((host) => ({
    ...host,
    ssh: { user: 'root', port: 22, key: lab.keyFile, timeout: Math.max(host.ssh.timeout, 30) },
  }));
  return { ...fleet, hosts };
}

/** Cuts a machine's power, or turns it on again from its disk as it was. Does nothing when it is so already. */
export async function power(lab: Lab, host: string, state: 'off' | 'on'): Promise<void> {
  const machine = lab.hosts.find(({ name }) => name === host);
  const kept = readState(lab.directory);
  if (!machine || !kept) {
    throw new LvsError(`lab ${lab.name} has no machine "${host}"`, {
      code: 'lab.unknown-host',
      exitCode: EXIT.badInput,
      hint: `it has ${lab.hosts.map(({ name }) => name).join(', ')}`,
    });
  }
  if (state === 'off') await cutPower(lab.directory, host);
  else if (!machineProcess(lab.directory, host)) {
    startMachine({
      lab: lab.name,
      directory: lab.directory,
      host: machine,
      disk: kept.image.disk,
      kernel: kept.kernel,
      settings: kept.settings,
    });
  }
}

function notUp(message: string, fleet: Fleet): LvsError {
  return new LvsError(message, { code: 'lab.not-up', exitCode: EXIT.badInput, hint: `\`lvsctl lab up ${fleet.file}\` brings it up` });
}
