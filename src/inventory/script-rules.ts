import { basename } from 'node:path';
import { type Complaint, fault, formatValue, type Path } from './complaints.ts';
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

/** Paths on this machine, and where they are said. */
function scripts({ fleet: { vrrp, services } }: Draft): readonly { readonly file: string; readonly at: Path }[] {
  const tracked = (vrrp?.scripts ?? []).map(({ name, file }) => ({ file, at: ['vrrp', 'scripts', name, 'file'] }));
  const called = (['notify', 'alarm'] as const).map((word) => ({ file: vrrp?.[word], at: ['vrrp', word] }));
  const checks = services.map(({ check }, index) => ({ file: check.script, at: ['services', index, 'check', 'misc', 'script'] }));
  return [...tracked, ...called, ...checks].flatMap(({ file, at }) => (file === undefined ? [] : [{ file, at }]));
}
