import { posix } from 'node:path';
import { z } from 'zod';
import { type Change, defineTask, lines, refuse, type Sh, sh } from '../task.ts';
import { blobOf, type LocalFile, localFile } from './support/files/local-file.ts';
import { absolutePath, localPath, text } from './support/params.ts';
import { holdsSecret, userShell } from './support/user-shell.ts';

const params = z
  .strictObject({
    src: text
      .regex(/(^|\/)(?!\.{1,2}$)[^/\n]+$/, 'the path of a file')
      .describe(
        'Script of the control machine: a path relative to the folder of the playbook, or else of the inventory. Its first line says what runs it; sh unless said.',
      )
      .meta(localPath),
    args: z
      .array(text.refine((word) => !holdsSecret(word), 'a word without secrets: everybody on the host may read arguments'))
      .default([])
      .describe('Arguments, each one word.'),
    creates: absolutePath.optional().describe('Path that is there once the script has done its work.'),
    unless: text.min(1).optional().describe('Command that changes nothing and exits 0 once there is nothing to do.'),
    chdir: absolutePath.default('/root').describe('Directory that it runs in.'),
    timeout: z.int().min(1).max(86_400).default(60).describe('Seconds after which the script is stopped.'),
  })
  .refine(
    (want) => (want.creates === undefined) !== (want.unless === undefined),
    'one of "creates" and "unless": without it nobody could tell whether the script has been run',
  );

type Want = z.infer<typeof params>;

interface Seen {
  readonly done: boolean;
}

export default defineTask<Want, Seen>({
  summary: 'A script of the control machine, run on the host until what it is for is there. It leaves no copy of itself behind.',
  params,
  touches: (want) => (want.creates === undefined ? [] : [`file:${want.creates}`]),
  probe: (want) => sh`if ${isDone(want)}; then printf 'done\n'; fi`,
  parse: ({ stdout }) => ({ done: stdout === 'done\n' }),
  plan: (seen, want, { fleet, later }) => (seen.done && !later ? [] : [runScript(localFile(want.src, fleet.file), want)]),
  settled: (want) => (want.creates === undefined ? `"${want.unless}" says that nothing is to be done` : `${want.creates} is there`),
  example: { src: 'scripts/dhparam.sh', args: ['2048'], creates: '/etc/ssl/dhparam.pem', chdir: '/root', timeout: 600 },
});

function isDone(want: Want): Sh {
  if (want.creates !== undefined) return sh`[ -e ${want.creates} ]`;
  return sh`${userShell(want.unless ?? 'false')} >/dev/null 2>&1 </dev/null`;
}

function runScript(file: LocalFile, want: Want): Change {
  const { text: content } = file;
  if (content === undefined)
    throw refuse(`${want.src} is no text of at most 128 KiB`, 'bring a program with copy, and run it with command');
  return {
    id: 'run',
    title: `run ${firstWords([posix.basename(want.src), ...want.args].join(' '))}`,
    was: '',
    will: content.endsWith('\n') ? content : `${content}\n`,
    run: runFragment(file, interpreter(content, want.src), want),
    unless: isDone(want),
    timeout: want.timeout,
    blobs: [blobOf(file)],
  };
}

function firstWords(words: string): string {
  const line = words.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** As the kernel reads a first line: a program, and all the rest as one argument. */
function interpreter(content: string, src: string): readonly string[] {
  const [first = ''] = content.split('\n', 1);
  if (first.endsWith('\r')) throw refuse(`${src} has the line ends of Windows`, 'save it with those of Unix');
  const [, program, argument] = /^#!\s*(\S+)\s*(.*?)\s*$/.exec(first) ?? [];
  return [program ?? '/bin/sh', ...(argument ? [argument] : [])];
}

/** Under its own name, so that what it says of itself is right; handed to its interpreter, so that a noexec /tmp is no obstacle. */
function runFragment({ sha256: sum }: LocalFile, words: readonly string[], want: Want): Sh {
  return lines(
    sh`(
folder=$(mktemp -d) || exit 1
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 1' HUP INT TERM
script=$folder/${posix.basename(want.src)}
cat -- "$LVSCTL_BLOBS"/${sum} >"$script" && [ "$(sha256sum <"$script")" = ${`${sum}  -`} ] || { printf 'the script did not arrive whole\n' >&2; exit 1; }
umask 022
cd -- ${want.chdir} || exit 1
${words} "$script" ${want.args} </dev/null
)`,
  );
}
