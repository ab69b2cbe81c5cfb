/** Reads sysctls as they are now and every file that sets them at a boot: three processes, however many keys and files. */
import { type Output, type Sh, sh } from '../../../task.ts';
import { type SysctlFile, sysctlFolders } from './merge.ts';

export interface SeenSysctls {
  readonly files: readonly SysctlFile[];
  /** Path below /proc/sys → lines of its value, blanks as the kernel prints them; null where it exists and cannot be read. */
  readonly live: ReadonlyMap<string, string | null>;
}

const folders: Sh = { parts: sysctlFolders.map((folder) => ({ text: `${folder}/*.conf ` })) };

/**
 * `paths` are below /proc/sys. The shell's own `read` is no use there: dash, BusyBox and mksh read byte by byte, and integers in
 * /proc/sys come only in the first read, so 128 would look like 1.
 */
export function sysctlProbe(paths: readonly string[]): Sh {
  const live = paths.map(procPath);
  return sh`set --
for f in ${folders}/etc/sysctl.conf; do
  case $f in *'
'*) continue ;; esac
  case $f in /lib/*) [ ! -L /lib ] || continue ;; esac
  if [ -f "$f" ]; then set -- "$@" "$f"; elif [ ! -c "$f" ]; then continue; fi
  printf 'file %s\n' "$f"
  [ ! -L "$f" ] || { r=$(readlink -f -- "$f"); case $r in *'
'*) ;; *) printf 'real %s\n' "$r" ;; esac; }
done
[ $# -eq 0 ] || awk 'FNR == 1 { print "in " FILENAME } { print "|" $0 }' "$@"
printf 'live\n'
set -- ${live}
for k do [ ! -e "$k" ] || printf 'key %s\n' "$k"; done
grep -sH '' "$@"`;
}

/** Survives any output: what has not the form of the probe's lines is left out. */
export function parseSysctls({ stdout }: Pick<Output, 'stdout'>, paths: readonly string[]): SeenSysctls {
  const [, listing = '', live = ''] = /^([\s\S]*?)(?:(?:^|\n)live\n([\s\S]*))?$/.exec(stdout) ?? [];
  return { files: parseListing(listing.split('\n')), live: parseLive(live.split('\n'), paths) };
}

function parseListing(listing: readonly string[]): readonly SysctlFile[] {
  const real = new Map<string, string>();
  const content = new Map<string, string>();
  let at = '';
  for (const line of listing) {
    if (line.startsWith('file ')) {
      at = line.slice('file '.length);
      content.set(at, '');
    } else if (line.startsWith('real ')) real.set(at, line.slice('real '.length));
    else if (line.startsWith('in ')) at = line.slice('in '.length);
    else if (line.startsWith('|') && content.has(at)) content.set(at, `${content.get(at)}${line.slice(1)}\n`);
  }
  const files = [...content].map(([path, text]) => ({ path, real: real.get(path) ?? path, content: text }));
  return files.filter((file) => plainPath.test(file.path) && plainPath.test(file.real));
}

/** Paths go into fragments again: nothing there may look like a secret's slot. */
const plainPath = /^\/[^\p{C}]+$/u;

function parseLive(live: readonly string[], paths: readonly string[]): SeenSysctls['live'] {
  const there = paths.filter((path) => live.includes(`key ${procPath(path)}`));
  return new Map(
    there.map((path) => {
      const mark = `${procPath(path)}:`;
      const values = live.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
      return [path, values.length > 0 ? values.join('\n') : null];
    }),
  );
}

export function procPath(path: string): string {
  return `/proc/sys/${path}`;
}
