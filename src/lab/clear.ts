import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { namespaceInode, removeNamespace } from './namespace.ts';
import { labDirectory } from './places.ts';
import { endAll, type Process, processes } from './processes.ts';

/**
 * Removes all that is left of lab `name`: processes, namespace, files. Works from any state, so that it is also what clears up after
 * a lab that was killed. Returns whether there was anything.
 */
export async function clearLab(name: string): Promise<boolean> {
  const directory = labDirectory(name);
  const found = existsSync(directory) || namespaceInode(name) !== undefined || labProcesses(name).length > 0;
  await endAll(() => labProcesses(name));
  await removeNamespace(name);
  await rm(directory, { recursive: true, force: true });
  return found;
}

/**
 * What lives in the lab's namespace, and the process groups whose leader names the lab's folder (the namespace may have lost its name).
 * A recorded pid would prove nothing: pids are given again to others.
 */
function labProcesses(name: string): readonly Process[] {
  const all = processes();
  const inode = namespaceInode(name);
  const directory = labDirectory(name);
  const leaders = new Set(all.filter((process) => process.pid === process.group && belongs(process, directory)).map(({ pid }) => pid));
  return all.filter((process) => process.network === inode || leaders.has(process.group));
}

function belongs(process: Process, directory: string): boolean {
  const words = process.arguments;
  return words.some((word) => word.startsWith(`ubd0=${directory}/`)) || (words.includes('lvsctl-lab-gateway') && words.includes(directory));
}
