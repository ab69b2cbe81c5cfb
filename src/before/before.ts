/**
 * Before the first change to a thing on a host, how it was is kept there, in /var/lib/lvsctl/before; after each change, what lvsctl has
 * left there is noted. The task `restore` puts it back. What is kept of which kind, and how, stands in before.sh.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Touched } from '../model.ts';
import { lines, type Sh, sh } from '../sh/sh.ts';

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

/** Fragments of a step that touches these; absent where it leaves nothing. They want before.sh at `$LVSCTL_RUN/before.sh`. */
export function keeping(touched: readonly Touched[]): { readonly keep?: Sh; readonly note?: Sh } {
  const things = distinct(touched.flatMap(thingOf));
  if (things.length === 0) return {};
  const notes = things.filter(({ kind }) => kind === 'file' || kind === 'packages');
  return {
    keep: lines(
      use,
      sh`{`,
      ...things.map((thing) => sh`${keepCall(thing)} &&`),
      sh`kept
} || { printf '%s\n' 'how it was before cannot be kept, so nothing is changed' >&2; exit 1; }`,
    ),
    ...(notes.length > 0 && { note: lines(use, ...notes.map(({ id, kind }) => sh`note ${id} ${kind}`)) }),
  };
}

const use = sh`. "$LVSCTL_RUN/before.sh"`;

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
