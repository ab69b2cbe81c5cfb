import { z } from 'zod';
import { type Change, defineTask, lines, refuse, type Sh, sh } from '../task.ts';
import { makeDirectory, removeChange } from './support/files/file-states.ts';
import { fileProbe, parseFile, type SeenFile } from './support/files/write-file.ts';
import { absolutePath, accountName, fileMode, oneOrMore, toList } from './support/params.ts';

const params = z
  .strictObject({
    path: oneOrMore(absolutePath).describe('Absolute path on the host, or a list of paths, each after those above it.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('`absent` removes an empty directory; a full one only with `recurse`.'),
    owner: accountName.default('root').describe('User that owns it, by name or number.'),
    group: accountName.default('root').describe('Group that owns it, by name or number.'),
    mode: fileMode.default('0755').describe('Octal mode in quotes, of the directory itself.'),
    make_parent: z.boolean().default(false).describe('Makes the directories above it (root, 0755) where they are missing.'),
    recurse: z
      .boolean()
      .default(false)
      .describe('With `present`: owner and group of all that is in it, too. With `absent`: removes all that is in it.'),
  })
  .refine(
    (want) => want.state === 'present' || !want.recurse || toList(want.path).every((path) => !isSystem(path)),
    'this directory belongs to the system: lvsctl does not remove all that is in it',
  );

type Want = z.infer<typeof params>;

interface SeenDirectory {
  readonly path: string;
  readonly file: SeenFile;
  /** Entries of a directory that is to go; the first hundred. */
  readonly entries: number;
  /** How many things in it belong to somebody else; only looked at with `recurse`. */
  readonly others: number;
}

export default defineTask<Want, readonly SeenDirectory[]>({
  summary: 'A directory, or several, with owner and mode; or none.',
  params,
  touches: (want) => toList(want.path).map((path) => `directory:${path}`),
  probe: (want) => lines(...toList(want.path).map((path) => directoryProbe(path, want))),
  parse: ({ stdout }, want) => {
    const sections = stdout.split('\nend\n');
    return toList(want.path).map((path, index) => parseDirectory(path, sections[index] ?? ''));
  },
  plan: (seen, want) => {
    const found = want.state === 'present' ? seen : seen.toReversed();
    return found.flatMap((each) => (want.state === 'present' ? present(each, want) : absent(each, want)));
  },
  settled: (want) => {
    const paths = toList(want.path);
    const [are, directories] = paths.length === 1 ? ['is', 'a directory'] : ['are', 'directories'];
    if (want.state === 'absent') return `${paths.join(', ')} ${are} not there`;
    return `${paths.join(', ')} ${are} ${directories}, ${want.owner}:${want.group} ${want.mode}${want.recurse ? ', and so is what is in it' : ''}`;
  },
  example: {
    path: ['/srv/www', '/srv/www/pages'],
    state: 'present',
    owner: 'root',
    group: 'root',
    mode: '0755',
    make_parent: true,
    recurse: false,
  },
});

/** Directories that other software relies on: the top of the tree, and what lies right below its great branches. */
function isSystem(path: string): boolean {
  return (
    /^\/[^/]+$/.test(path) ||
    /^\/(usr|var|boot|etc\/(ssh|systemd|pam\.d|selinux|ssl|security))(\/[^/]+)?$/.test(path) ||
    /^\/usr\/(local|lib)\/[^/]+$/.test(path)
  );
}

function directoryProbe(path: string, want: Want): Sh {
  const looks = want.state === 'absent' ? inside : want.recurse && others(want);
  return lines(fileProbe(path), looks && lines(sh`if [ "$t" = directory ]; then`, looks, sh`fi`), sh`printf '\nend\n'`);
}

const inside: Sh = sh`printf 'entries %s\n' "$(find "$p" -mindepth 1 -maxdepth 1 -print | head -n 100 | wc -l)"`;

/** find refuses a name that the host does not know yet: then nothing in there can belong to it. */
function others({ owner, group }: Want): Sh {
  const theirs = sh`-user ${owner} -group ${group}`;
  return sh`if find "$p" -maxdepth 0 ${theirs} >/dev/null 2>&1; then printf 'others %s\n' "$(find "$p" -mindepth 1 ! '(' ${theirs} ')' -print | wc -l)"
  else printf 'others %s\n' "$(find "$p" -mindepth 1 -print | wc -l)"; fi`;
}

function parseDirectory(path: string, stdout: string): SeenDirectory {
  const number = (key: string): number => Number(new RegExp(`^${key} +(\\d{1,9})$`, 'm').exec(stdout)?.[1] ?? 0);
  return { path, file: parseFile({ stdout }), entries: number('entries'), others: number('others') };
}

function present({ path, file, others }: SeenDirectory, want: Want): readonly Change[] {
  if (file.type !== 'missing' && file.type !== 'directory') {
    throw refuse(`${path} is there and is no directory`, 'move it away, or give another path');
  }
  const changes = makeDirectory(file, { ...want, path, makeParent: want.make_parent });
  return others > 0 ? [...changes, ownAll(path, others, want)] : changes;
}

function ownAll(path: string, others: number, { owner, group }: Want): Change {
  return {
    id: `owner:${path}`,
    title: `give all that is in ${path} to ${owner}:${group}`,
    was: `${others} of somebody else\n`,
    will: `all of ${owner}:${group}\n`,
    run: sh`chown -R -h -- ${`${owner}:${group}`} ${path}`,
    timeout: 600,
  };
}

function absent({ path, file, entries }: SeenDirectory, want: Want): readonly Change[] {
  if (file.type === 'missing') return [];
  if (file.type !== 'directory') throw refuse(`${path} is no directory`, 'use the task file to remove it');
  if (entries === 0) return removeChange(file, path);
  const some = entries === 100 ? '100 entries or more' : entries === 1 ? 'one entry' : `${entries} entries`;
  if (!want.recurse) throw refuse(`${path} is not empty: ${some}`, 'write "recurse: true" to remove all that is in it');
  return [
    {
      id: `remove:${path}`,
      title: `remove ${path} and all that is in it`,
      was: `directory with ${some}\n`,
      will: '',
      run: sh`path=${path}
[ ! -L "$path" ] || exit 1
while read -r _ _ _ _ point _; do
  case $point in "$path" | "$path"/*) printf '%s\n' "$point is a mounted file system; unmount it first" >&2; exit 1 ;; esac
done </proc/self/mountinfo
rm -rf --one-file-system -- "$path"`,
      timeout: 600,
    },
  ];
}
