/**
 * Before the first change to a thing on a host, how it was is kept there, in /var/lib/lvsctl/before; after each change, what lvsctl has
 * left there is noted. The task `restore` puts it back. What is kept of which kind, and how, stands in before.sh.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Touched } from '../model.ts';
import { type Sh, sh } from '../sh/sh.ts';

/** The functions, as shell text; its comments are for us. */
export const beforeText = readFileSync(new URL('./before.sh', import.meta.url), 'utf8').replace(/^\s*#(?! shellcheck).*\n/gm, '');

/** Kinds of which before.sh knows what to keep. */
const keptKinds = [
  ...['file', 'tree', 'directory', 'mount', 'sysctl', 'hostname', 'selinux', 'module'],
  ...['service', 'address', 'user', 'group', 'packages'],
];

/**
 * Kinds that leave nothing of their own behind: a boot, and the records themselves; what systemd has read of files that are kept; limits
 * of processes that end with their service; rows of a table that is emptied by the service that filled it; rules, routes and devices that
 * a unit of ours takes back when it is stopped.
 */
const passingKinds = ['host', 'unit', 'limits', 'ipvs', 'firewall', 'route', 'interface'];

/** True when nothing more needs to be said of this kind for it to be put back. */
export function isKnownKind(kind: string): boolean {
  return kind === 'package' || keptKinds.includes(kind) || passingKinds.includes(kind);
}

/** At the beginning of a fragment of a run that calls the functions. */
export const useBefore = sh`# shellcheck disable=SC1090,SC1091
. "$LVSCTL_RUN/before.sh"`;

/** What is kept of a step: calls that must all succeed before it, and those that follow it, whatever came of it. */
export interface Kept {
  readonly calls: readonly Sh[];
  readonly notes: readonly Sh[];
}

/** Of a step that touches these. The calls want the functions of before.sh; `kept` is the last of them. */
export function keeping(touched: readonly Touched[]): Kept {
  const things = distinct(touched.flatMap(thingOf));
  const noted = things.filter(({ kind }) => kind === 'file' || kind === 'packages');
  return { calls: things.map(keepCall), notes: noted.map(({ id, kind }) => sh`note ${id} ${kind}`) };
}

interface Thing {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly own?: Touched['own'];
}

/** All packages are one thing: what came with one cannot be told from what came with another. */
function thingOf({ resource, own }: Touched): readonly Thing[] {
  const [, word = '', said = ''] = /^([a-z_]+):([\s\S]*)$/.exec(resource) ?? [];
  const [kind, name] = word === 'package' ? ['packages', 'installed'] : [word, said];
  // The shell reads names line by line.
  if (name === '' || /\p{Cc}/u.test(name) || !(own || keptKinds.includes(kind))) return [];
  return [{ id: createHash('sha256').update(`${kind}:${name}`).digest('hex').slice(0, 16), kind, name, ...(own && { own }) }];
}

function distinct(things: readonly Thing[]): readonly Thing[] {
  return [...new Map(things.map((thing) => [thing.id, thing])).values()];
}

function keepCall({ id, kind, name, own }: Thing): Sh {
  if (!own) return sh`keep ${id} ${kind} ${name}`;
  return sh`keep_own ${id} ${kind} ${name} ${own.record} ${own.differs} ${own.restore}`;
}
