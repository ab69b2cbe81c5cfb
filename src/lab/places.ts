import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import type { Fleet } from '../model.ts';

const stateRoot = '/var/lib/lvsctl/lab';

/**
 * A lab's name: the cluster's, and a hash of the inventory's path, so that two inventories of one cluster are two labs. Safe as a
 * file name and as the name of a network namespace.
 */
export function labName(fleet: Fleet): string {
  const cluster = fleet.cluster
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 24);
  return `${cluster.replace(/^-+|-+$/g, '') || 'lab'}-${createHash('sha256').update(resolve(fleet.file)).digest('hex').slice(0, 6)}`;
}

/** The network namespace of lab `name`. */
export function namespaceOf(name: string): string {
  return `lvsctl-${name}`;
}

/** All that lab `name` keeps while it exists; readable by root only. */
export function labDirectory(name: string): string {
  return join(stateRoot, name);
}

/** Held while a lab is being brought up or taken down. */
export function labLockFile(name: string): string {
  return join(stateRoot, `${name}.lock`);
}

/** Where images are kept: `/var/cache/lvsctl/lab`, or `lab` in the folder that LVSCTL_CACHE names. */
export function imageCache(): string {
  const root = resolve(process.env.LVSCTL_CACHE || '/var/cache/lvsctl');
  // The path becomes part of a kernel command line, where these separate words.
  if (/[\s,:]/.test(root)) {
    throw new LvsError(`LVSCTL_CACHE is ${JSON.stringify(root)}, with a space, a comma or a colon in it`, {
      code: 'lab.cache',
      exitCode: EXIT.badInput,
      hint: 'use a path without them',
    });
  }
  return join(root, 'lab');
}
