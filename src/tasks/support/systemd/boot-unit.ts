/**
 * A oneshot unit of ours: what a change has done now, it does again at every boot, and takes it back when it is stopped. It depends on
 * nothing that manages the network or the firewall but systemd.
 */
import { type Change, lines, type PlanContext, quote, refuse, type Sh, sh } from '../../../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from '../files/write-file.ts';
import { parseUnit, type SeenUnit, unitProbe } from './unit.ts';
import { quoteWord } from './unit-text.ts';

export interface BootUnit {
  /** `lvsctl-WHAT.service`. */
  readonly name: string;
  readonly description: string;
  readonly wants?: readonly string[];
  readonly after: readonly string[];
  readonly before: readonly string[];
  /** Units whose restart or reload undoes what this one did: it follows them, and is started by them. */
  readonly follows?: readonly string[];
  /** Values of ExecStart and ExecStop, one command each; what may fail begins with "-". All are safe to repeat. */
  readonly start: readonly string[];
  readonly stop: readonly string[];
}

export interface SeenBootUnit {
  readonly file: SeenFile;
  readonly unit: SeenUnit;
}

export function bootUnitPath(name: string): string {
  return `/etc/systemd/system/${name}`;
}

/** Goes first in a probe; `parseBootUnit` hands back what was printed after it as `rest`. */
export function bootUnitProbe(name: string): Sh {
  return lines(filesProbe([bootUnitPath(name)]), unitProbe(name));
}

export function parseBootUnit(stdout: string, name: string): SeenBootUnit & { readonly rest: string } {
  const { files, rest } = parseFiles({ stdout }, [bootUnitPath(name)]);
  return { file: files[0] as SeenFile, unit: parseUnit({ stdout: rest }), rest };
}

/** A command as a value of ExecStart or ExecStop: one that fails is in the journal, and keeps none of the others from running. */
export function unitCommand({ parts }: Sh): string {
  return `-/bin/sh -c ${quoteWord(parts.map((part) => ('text' in part ? part.text : quote(part.value))).join(''))}`;
}

/** `/sbin/ip` and `/bin/sh` exist on every distribution, and systemd before 239 wants absolute paths. */
export function bootUnitText({ description, wants = [], after, before, follows = [], start, stop }: BootUnit): string {
  const line = (key: string, words: readonly string[]) => (words.length === 0 ? '' : `${key}=${words.join(' ')}\n`);
  const each = (key: string, values: readonly string[]) => values.map((value) => `${key}=${value}\n`).join('');
  // A reload of what it follows must redo all of it, too.
  const reload = follows.length === 0 ? '' : each('ExecReload', start);
  return `# Written by lvsctl.
[Unit]
Description=${description}
DefaultDependencies=no
${line('Wants', wants)}${line('After', [...after, ...follows])}${line('Before', [...before, 'shutdown.target'])}${line('PartOf', follows)}${line('ReloadPropagatedFrom', follows)}Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
${each('ExecStart', start)}${reload}${each('ExecStop', stop)}
[Install]
WantedBy=${['multi-user.target', ...follows].join(' ')}
`;
}

/** Nothing, or: the text (`content:`), the start at boot (`persisted:`), and that it counts as started (`active:`), so that a stop undoes it. */
export function bootUnitChanges(seen: SeenBootUnit, unit: BootUnit, context: PlanContext): readonly Change[] {
  const { name } = unit;
  if (context.facts.init !== 'systemd')
    throw refuse(`${name} is a unit of systemd, and this host has none`, 'leave the step out there with "when"');
  const written = fileChange({ seen: seen.file, path: bootUnitPath(name), content: bootUnitText(unit), context });
  const reread = sh`[ ! -d /run/systemd/system ] || { systemctl daemon-reload && { ! systemctl is-enabled -q -- ${name} || systemctl -q reenable -- ${name}; }; }`;
  return [
    ...written.map((change) => ({ ...change, run: sh`${change.run} && { ${reread}; }` })),
    ...(seen.unit.file === 'enabled' ? [] : [enable(unit)]),
    ...(seen.unit.active === 'active' ? [] : [start(unit)]),
  ];
}

/** Nothing, or one change: stopping it undoes what it did. */
export function bootUnitGone(
  { file, unit }: Pick<SeenBootUnit, 'file'> & { readonly unit?: Pick<SeenUnit, 'active'> },
  name: string,
): readonly Change[] {
  if (file.type === 'missing' && unit?.active !== 'active') return [];
  const run = lines(
    sh`systemctl -q disable --now -- ${name} || systemctl -q stop -- ${name} || :`,
    sh`rm -f -- ${bootUnitPath(name)} && systemctl daemon-reload`,
  );
  const was = file.content ?? `${name} ${unit?.active ?? ''}\n`;
  return [{ id: `remove:${name}`, title: `stop ${name}, which undoes what it did, and remove it`, was, will: '', run, takesAway: true }];
}

function enable({ name, description }: BootUnit): Change {
  const title = `do so at every boot: ${description} (enable ${name})`;
  return { id: `persisted:${name}`, title, was: 'disabled\n', will: 'enabled\n', run: sh`systemctl -q enable -- ${name}` };
}

function start({ name }: BootUnit): Change {
  const title = `start ${name}: what is there already stays, and a stop takes it back`;
  return { id: `active:${name}`, title, was: 'not started\n', will: 'started\n', run: sh`systemctl start -- ${name}` };
}
