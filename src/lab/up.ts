import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT, LvsError } from '../errors.ts';
import { interrupted } from '../machine/run.ts';
import type { Fleet } from '../model.ts';
import { clearLab } from './clear.ts';
import { greets } from './dial.ts';
import { gatewayAnswers, startGateway } from './gateway-process.ts';
import { ensureImage, type Image } from './image.ts';
import { ensureKernel } from './kernel.ts';
import { makeKey } from './keys.ts';
import { describeLab, type Lab, power } from './lab.ts';
import { type Layout, layoutOf } from './layout.ts';
import { withLabLock } from './lock.ts';
import { consoleFile, machineProcess, prepareMachines, startMachine } from './machine.ts';
import { knownHosts, machineFiles } from './machine-files.ts';
import { makeNamespace } from './namespace.ts';
import { labDirectory } from './places.ts';
import type { Report } from './progress.ts';
import { checkRequirements } from './requirements.ts';
import { readState, writeState } from './state.ts';
import { tar } from './tar.ts';

/**
 * Boots one machine per host of the inventory and returns when all answer. A lab that is up already gets back only those machines
 * that are off; leftovers, and a lab of other machines, are cleared first. An abort or a failure leaves nothing behind but the image.
 */
export async function labUp(fleet: Fleet, report: Report, signal?: AbortSignal): Promise<Lab> {
  checkRequirements();
  const layout = layoutOf(fleet);
  const directory = labDirectory(layout.name);
  return withLabLock(layout.name, async () => {
    const kernel = await ensureKernel(report, signal);
    const image = await ensureImage(fleet.lab, kernel, report, signal);
    const state = readState(directory);
    if (state && state.layout.digest === layout.digest && state.image.key === image.key && (await gatewayAnswers(directory))) {
      return await resume(describeLab(directory, state), report, signal);
    }
    if (await clearLab(layout.name)) report({ stage: 'clear', doing: 'cleared what was left of an earlier lab' });
    try {
      return await build(fleet, layout, { kernel: kernel.program, image }, report, signal);
    } catch (error) {
      await clearLab(layout.name);
      throw error;
    }
  });
}

/** What all machines of a lab have in common. */
interface Base {
  /** Path of the kernel. */
  readonly kernel: string;
  readonly image: Image;
}

async function resume(lab: Lab, report: Report, signal?: AbortSignal): Promise<Lab> {
  for (const host of lab.hosts) await power(lab, host.name, 'on');
  await waitForAll(lab, report, signal);
  return lab;
}

async function build(fleet: Fleet, layout: Layout, base: Base, report: Report, signal?: AbortSignal): Promise<Lab> {
  const directory = labDirectory(layout.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { kernel, image } = base;
  const state = { file: resolve(fleet.file), layout, kernel, image, settings: fleet.lab };
  await writeIdentities(layout, directory, signal);
  const segments = layout.segments.map(({ subnets }) => subnets.map(({ cidr }) => cidr).join(' and '));
  report({ stage: 'network', doing: `makes a network of ${segments.join(', ')}` });
  await makeNamespace(layout, signal);
  await startGateway(layout, directory, image.repository, signal);
  prepareMachines(directory);
  for (const host of layout.hosts) {
    startMachine({ lab: layout.name, directory, host, disk: image.disk, kernel, settings: fleet.lab });
  }
  const lab = describeLab(directory, state);
  await waitForAll(lab, report, signal);
  await writeState(directory, state);
  return lab;
}

/** The lab's key, each machine's key, and the archive that makes each machine itself. */
async function writeIdentities(layout: Layout, directory: string, signal?: AbortSignal): Promise<void> {
  const labKey = await makeKey(directory, 'id_ed25519', `lab ${layout.name}`, signal);
  const publicKeys: Record<string, string> = {};
  for (const host of layout.hosts) {
    const key = await makeKey(directory, `${host.name}.key`, host.name, signal);
    publicKeys[host.name] = key.publicKey;
    const keys = { hostKey: key.privateKey, hostPublicKey: key.publicKey, labPublicKey: labKey.publicKey };
    await writeFile(join(directory, `${host.name}.tar`), tar(machineFiles(host, layout, keys)), { mode: 0o600 });
  }
  await writeFile(join(directory, 'known_hosts'), knownHosts(layout, publicKeys));
}

async function waitForAll(lab: Lab, report: Report, signal?: AbortSignal): Promise<void> {
  const total = lab.hosts.length;
  const limit = Date.now() + (120 + 30 * total) * 1000;
  let done = 0;
  report({ stage: 'boot', doing: 'waits for the machines', done, total });
  await Promise.all(
    lab.hosts.map(async (host) => {
      await waitFor(lab, host.name, host.address, limit, signal);
      report({ stage: 'boot', host: host.name, doing: 'answers', done: ++done, total });
    }),
  );
}

async function waitFor(lab: Lab, host: string, address: string, limit: number, signal?: AbortSignal): Promise<void> {
  let missed = 0;
  while (!(await greets(lab.dial, address, 3_000))) {
    if (signal?.aborted) throw interrupted();
    // One look may miss it: on its way to being the machine, the process runs other programs first.
    missed = machineProcess(lab.directory, host) ? 0 : missed + 1;
    if (missed > 10) throw silent(lab, host, 'stopped while it booted');
    if (Date.now() > limit) throw silent(lab, host, 'does not answer on port 22');
    await wait(200);
  }
}

function silent(lab: Lab, host: string, how: string): LvsError {
  const lines = readFileSync(consoleFile(lab.directory, host), 'utf8').trim().split('\n').slice(-3);
  return new LvsError(`lab machine ${host} ${how}; its console ended with: ${lines.join(' | ')}`, {
    code: 'lab.boot',
    exitCode: EXIT.unreachable,
    where: { host },
  });
}
