import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '../model.ts';
import { greets, labDial } from './dial.ts';
import { gatewayAnswers } from './gateway-process.ts';
import { machineProcess, umid } from './machine.ts';
import { labDirectory, labName } from './places.ts';
import { readState } from './state.ts';

export interface LabHostStatus {
  readonly host: string;
  readonly address: string;
  /** Powered on. */
  readonly running: boolean;
  /** Its ssh server greets. */
  readonly answers: boolean;
  readonly pid?: number;
  /** Seconds since its kernel started, a reboot included. */
  readonly uptime?: number;
}

export interface LabStatus {
  readonly name: string;
  readonly directory: string;
  /** False: there is no lab (`hosts` is empty then), or it is not whole. */
  readonly up: boolean;
  readonly gateway: boolean;
  readonly hosts: readonly LabHostStatus[];
}

/** What runs of this inventory's lab. Changes nothing. */
export async function labStatus(fleet: Fleet): Promise<LabStatus> {
  const name = labName(fleet);
  const directory = labDirectory(name);
  const state = readState(directory);
  const gateway = await gatewayAnswers(directory);
  const hosts = await Promise.all(
    (state?.layout.hosts ?? []).map(async (host): Promise<LabHostStatus> => {
      const { name, address } = host;
      const machine = machineProcess(directory, name);
      if (!machine) return { host: name, address, running: false, answers: false };
      const answers = gateway && (await greets(labDial(directory), address, 3_000));
      return { host: name, address, running: true, answers, pid: machine.pid, ...uptime(join(directory, 'uml', umid(host), 'pid')) };
    }),
  );
  return { name, directory, up: state !== undefined && gateway, gateway, hosts };
}

/** The kernel writes its pid file each time it starts, also when it restarts itself as the same process. */
function uptime(pidFile: string): { readonly uptime?: number } {
  const written = statSync(pidFile, { throwIfNoEntry: false })?.mtimeMs;
  return written === undefined ? {} : { uptime: Math.max(0, (Date.now() - written) / 1000) };
}
