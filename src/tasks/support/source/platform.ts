/** What makes two builds the same: where they ran, and what went into them. */
import { createHash } from 'node:crypto';
import type { Facts } from '../../../task.ts';

/** Where a build runs: hosts with the same text can take each other's binaries. Minor releases of the Red Hat family can. */
export function buildPlatform({ distribution, release, architecture }: Facts): string {
  const rebuild = ['rhel', 'rocky', 'almalinux', 'centos', 'ol'].includes(distribution);
  const version = rebuild ? release.split('.', 1)[0] : release;
  return [distribution, version, architecture].map((part) => (part || 'unknown').replace(/[^A-Za-z0-9._]/g, '_')).join('-');
}

/** 12 hexadecimal digits that differ when any of the values does. */
export function shortHash(values: unknown): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 12);
}
