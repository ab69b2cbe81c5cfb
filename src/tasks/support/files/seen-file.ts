/** What a host has at a path. Content comes back exact: every line of it is marked, so that nothing in a file can pass for a header. */
import { lines, type Output, type Sh, sh } from '../../../task.ts';
import { inlineLimit } from '../params.ts';

export interface SeenFile {
  readonly type: 'missing' | 'file' | 'directory' | 'link' | 'other';
  /** Names; `UNKNOWN` where the host has none for the number. Empty when missing. */
  readonly owner: string;
  readonly group: string;
  readonly uid: string;
  readonly gid: string;
  /** Octal with a leading zero, `0644`; empty when missing. */
  readonly mode: string;
  /** Bytes. */
  readonly size: number;
  /** Of a regular file of at most 128 KiB that could be read. */
  readonly content: string | undefined;
  /** Of a symbolic link; otherwise empty. */
  readonly target: string;
  /** SELinux context; empty where there is none. */
  readonly label: string;
}

/** Looks at one path: two processes for a file, none where nothing is there. `parseFile` reads the output. */
export function fileProbe(path: string): Sh {
  return sh`p=${path}
if [ -L "$p" ]; then t='link'; elif [ -f "$p" ]; then t='file'; elif [ -d "$p" ]; then t='directory'; elif [ -e "$p" ]; then t='other'; else t='missing'; fi
printf 'type %s\n' "$t"
s=
if [ "$t" != missing ]; then
  s=$(stat -c 'owner %U
group %G
uid %u
gid %g
mode %a
size %s' -- "$p")
  printf '%s\n' "$s"
  [ ! -e /sys/fs/selinux/enforce ] || stat -c 'label %C' -- "$p" 2>/dev/null
fi
case $t in
  link) readlink -- "$p" | sed 's/^/|/' ;;
  file) [ "\${s##*size }" -gt ${inlineLimit} ] || { printf 'content\n'; sed 's/^/|/' "$p" && printf '\n.\n'; } ;;
esac`;
}

/** Survives any output. What did not come back whole is left out: a file cut short has no `content`. */
export function parseFile({ stdout }: Pick<Output, 'stdout'>): SeenFile {
  const [, header = '', body = ''] = /^((?:(?!content\n|\|)[^\n]*(?:\n|$))*)([\s\S]*)$/.exec(stdout) ?? [];
  const fields = new Map(header.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
  const field = (name: string): string => fields.get(name) ?? '';
  const type = field('type');
  return {
    type: isType(type) ? type : 'missing',
    owner: field('owner'),
    group: field('group'),
    uid: field('uid'),
    gid: field('gid'),
    mode: field('mode').padStart(field('mode') === '' ? 0 : 4, '0'),
    size: Number(field('size')) || 0,
    content: type === 'file' ? contentOf(body) : undefined,
    target: type === 'link' ? unmark(body).replace(/\n$/, '') : '',
    label: field('label'),
  };
}

function contentOf(body: string): string | undefined {
  const marked = /^content\n([\s\S]*)\n\.\n$/.exec(body)?.[1];
  return marked === undefined ? undefined : unmark(marked);
}

function unmark(marked: string): string {
  return marked.replace(/(^|\n)\|/g, '$1');
}

function isType(word: string): word is SeenFile['type'] {
  return ['missing', 'file', 'directory', 'link', 'other'].includes(word);
}

/** Looks at several paths in order. Put further lines of a probe after it; `parseFiles` hands them back as `rest`. */
export function filesProbe(paths: readonly string[]): Sh {
  return lines(...paths.flatMap((path) => [fileProbe(path), sh`printf '\nend\n'`]));
}

/** What `filesProbe(paths)` found, in the same order, and whatever was printed after it. */
export function parseFiles(
  { stdout }: Pick<Output, 'stdout'>,
  paths: readonly string[],
): { readonly files: readonly SeenFile[]; readonly rest: string } {
  const sections = stdout.split('\nend\n');
  return {
    files: paths.map((_, index) => parseFile({ stdout: sections[index] ?? '' })),
    rest: sections.slice(paths.length).join('\nend\n'),
  };
}
