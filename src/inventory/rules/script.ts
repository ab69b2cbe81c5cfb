import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Complaint, fault, formatValue, type Path, visible } from '../complaints.ts';
import { type Draft, lineOf } from './draft.ts';

/** Scripts of the inventory lie on the directors side by side, each by its own name: two of one name would be one. */
export function scriptNameFaults(draft: Draft): readonly Complaint[] {
  const all = scripts(draft);
  return all.flatMap(({ file, at }, index) => {
    if (!/^[A-Za-z0-9_.-]+$/.test(basename(file))) {
      const hint = 'allowed: letters, digits, "_", "." and "-", because keepalived.conf cannot quote the rest';
      return [fault('wrong-value', at, `the script is called ${formatValue(basename(file))}`, hint)];
    }
    const first = all.findIndex((other) => basename(other.file) === basename(file));
    const other = all[first];
    if (!other || first === index || other.file === file) return [];
    const found = `another script is called ${basename(file)} ${lineOf(draft, other.at)}`;
    return [fault('script-twice', at, found, 'the directors keep all scripts in one folder: rename one of them')];
  });
}

/**
 * Files that the inventory names go to the hosts, and root runs them: only those of its own folder, so that a line of somebody else's
 * cannot take a key or a password file along.
 */
export function outsideFaults(draft: Draft): readonly Complaint[] {
  const folder = realPath(dirname(draft.fleet.file));
  return [...scripts(draft), ...tarballs(draft)].flatMap(({ file, at }) => {
    const inside = relative(folder, realPath(file));
    if (inside !== '' && !/^\.\.(\/|$)/.test(inside) && !isAbsolute(inside)) return [];
    const found = `${formatValue(file)} lies outside the folder of the inventory`;
    return [fault('outside', at, found, `the hosts get it, and root runs it: copy it beside the inventory, into ${visible(folder)}`)];
  });
}

/** Where links lead, as far as there is anything. */
function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    return dirname(whole) === whole ? whole : join(realPath(dirname(whole)), basename(whole));
  }
}

interface Named {
  /** Path on this machine. */
  readonly file: string;
  /** Where it is said. */
  readonly at: Path;
}

function tarballs({ fleet: { nginx, keepalivedSource, ipvsadmSource } }: Draft): readonly Named[] {
  const sources = { nginx: nginx?.source, keepalived: keepalivedSource, ipvsadm: ipvsadmSource };
  return Object.entries(sources).flatMap(([name, source]) =>
    source?.file === undefined ? [] : [{ file: source.file, at: [name, 'source', 'file'] }],
  );
}

function scripts({ fleet: { vrrp, services } }: Draft): readonly Named[] {
  const tracked = (vrrp?.scripts ?? []).map(({ name, file }) => ({ file, at: ['vrrp', 'scripts', name, 'file'] }));
  const called = (['notify', 'alarm'] as const).map((word) => ({ file: vrrp?.[word], at: ['vrrp', word] }));
  const checks = services.map(({ check }, index) => ({ file: check.script, at: ['services', index, 'check', 'misc', 'script'] }));
  return [...tracked, ...called, ...checks].flatMap(({ file, at }) => (file === undefined ? [] : [{ file, at }]));
}
