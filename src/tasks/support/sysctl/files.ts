/** What must change in sysctl's files so that wanted values hold after a boot, whoever reads the files. */
import { posix } from 'node:path';
import { type Change, lines, refuse, sh } from '../../../task.ts';
import { composeFile } from '../files/compose-file.ts';
import { decisive, readingOrder, type SysctlFile, type SysctlLine, sysctlLines } from './merge.ts';

export interface WantedSysctl {
  /** Below /proc/sys. */
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

/** What `keepSysctls` is to reach. */
export interface WantedSysctls {
  readonly wanted: readonly WantedSysctl[];
  /** Path of our file, in /etc/sysctl.d. */
  readonly file: string;
  readonly reason: string | undefined;
}

/**
 * The line that decides about a key after a boot, for systemd-sysctl and for `sysctl --system` (which reads /etc/sysctl.conf last,
 * as `sysctl -p` reads it alone). Both must come to the wanted value.
 */
export function persistedLines(files: readonly SysctlFile[], path: string): readonly (SysctlLine | undefined)[] {
  const order = readingOrder(files);
  const classic = files.filter((file) => file.path === '/etc/sysctl.conf');
  return [decisive(sysctlLines(order), path), decisive(sysctlLines([...order, ...classic]), path)];
}

/** Nothing, `persisted:FILE` for our own lines, and `override:FILE` for every later file that says otherwise. */
export function keepSysctls(files: readonly SysctlFile[], want: WantedSysctls): readonly Change[] {
  const wrong = want.wanted.filter(({ path, value }) => persistedLines(files, path).some((line) => line?.value !== value));
  const own = files.find(({ path }) => path === want.file) ?? { path: want.file, real: want.file, content: '' };
  if (own.real !== own.path) throw refuse(`${own.path} is a symbolic link to ${own.real}`, 'remove the link, or give another file name');
  const said = sysctlLines([own]);
  const complete = wrong.every(({ path, value }) => decisive(said, path)?.value === value);
  return [...(complete ? [] : [ownChange(own, wrong, want)]), ...overrides(files, wrong, want)];
}

const header = '# Written by lvsctl. Each step replaces its own lines and keeps the others.';

/** Our lines are merged into the file when the change runs: an earlier step of the same run may have written to it. */
function ownChange(own: SysctlFile, wrong: readonly WantedSysctl[], want: WantedSysctls): Change {
  const { wanted, file, reason } = want;
  const added = [...(reason === undefined ? [] : [`# lvsctl: ${reason}`]), ...wanted.map(assignment)];
  const dropped = [...new Set([...ownLines(own, wanted), ...added])];
  const before = own.content === '' ? [header] : own.content.split('\n').slice(0, -1);
  const merged = sh`{ if [ -s ${file} ]; then grep -vxF ${dropped.flatMap((line) => ['-e', line])} -- ${file} || [ $? -eq 1 ]
else printf '%s\n' ${header}; fi; } && printf '%s\n' ${added}`;
  return {
    id: `persisted:${file}`,
    title: `keep ${wrong.map(assignment).join(', ')} in ${file}`,
    was: own.content,
    will: [...before.filter((line) => !dropped.includes(line)), ...added].map((line) => `${line}\n`).join(''),
    run: composeFile({ path: file, makeParent: true }, merged),
  };
}

function assignment({ name, value }: WantedSysctl): string {
  return `${name} = ${value}`;
}

/** The lines that set one of our keys, and our comment above them. What looks like a secret's slot stays: ours comes after it and wins. */
function ownLines(own: SysctlFile, wanted: readonly WantedSysctl[]): readonly string[] {
  const texts = own.content.split('\n');
  const ours = sysctlLines([own]).filter((line) => wanted.some(({ path }) => path === line.path));
  const replaced = ours.flatMap(({ text, index }) => {
    const above = texts[index - 1] ?? '';
    return above.startsWith('# lvsctl: ') ? [above, text] : [text];
  });
  return replaced.filter((line) => !/\p{Co}/u.test(line));
}

/** Lines read after ours that name a wrong key and do not agree, file by file. */
function overrides(files: readonly SysctlFile[], wrong: readonly WantedSysctl[], want: WantedSysctls): readonly Change[] {
  const order = readingOrder([...files.filter(({ path }) => path !== want.file), { path: want.file, real: want.file, content: '' }]);
  const after = order.slice(order.findIndex(({ path }) => path === want.file) + 1);
  const later = [...after, ...files.filter(({ path }) => path === '/etc/sysctl.conf')];
  const targets = new Map(later.map((file) => [mendedPath(file), file]));
  return [...targets].flatMap(([target, file]) => {
    const lines = sysctlLines([file]).filter((line) => wrong.some(({ path, value }) => path === line.path && value !== line.value));
    return lines.length > 0 ? [overrideChange(file, target, { lines, by: want.file })] : [];
  });
}

/** Files of packages and of /run are not edited: a file of the same name in /etc/sysctl.d takes their place. */
function mendedPath(file: SysctlFile): string {
  return file.real.startsWith('/etc/') ? file.real : `/etc/sysctl.d/${posix.basename(file.path)}`;
}

function overrideChange(file: SysctlFile, target: string, found: { readonly lines: readonly SysctlLine[]; readonly by: string }): Change {
  const { lines: wrong, by } = found;
  const mark = `# lvsctl: ${by} decides: `;
  const texts = file.content.split('\n');
  const inPlace = target === file.real;
  const said = `${wrong.map(({ text }) => text.trim()).join(', ')} in ${file.real}, which wins over ${by}`;
  const copy = `${target}.before-lvsctl`;
  const edits = wrong.map(({ index, path }) => `${index + 1}s|^${keyPattern(path)}|${mark}&|`);
  return {
    id: `override:${target}`,
    title: inPlace ? `comment out ${said}; the old file is kept as ${copy}` : `hide ${said}, by a copy without it, ${target}`,
    was: file.content,
    will: texts.map((text, index) => (wrong.some((line) => line.index === index) ? `${mark}${text}` : text)).join('\n'),
    run: lines(
      inPlace && sh`[ -e ${copy} ] || cp -p -- ${target} ${copy} || exit 1`,
      composeFile(
        { path: target, makeParent: true, replaceLink: !inPlace },
        sh`sed ${edits.flatMap((edit) => ['-e', edit])} -- ${file.real}`,
      ),
    ),
  };
}

/** Basic regular expression for a line that names the key: should the file have changed meanwhile, no other line is commented out. */
function keyPattern(path: string): string {
  return `[[:space:]]*-\\{0,1\\}[[:space:]]*[./]*${path.replace(/[./]/g, '[./][./]*')}[[:space:]]*\\(=.*\\)\\{0,1\\}$`;
}
