import { posix } from 'node:path';
import { z } from 'zod';
import { type Change, defineTask, type PlanContext } from '../task.ts';
import { bytesChange, bytesProbe, parseBytes, type SeenBytes } from './support/files/blob-file.ts';
import { blobOf, localFile } from './support/files/local-file.ts';
import { validateWith, validator } from './support/files/validator.ts';
import { fileChange } from './support/files/write-file.ts';
import { absolutePath, accountName, fileContent, fileMode, localPath, text } from './support/params.ts';

const destination = text.refine(
  (value) => absolutePath.safeParse(value.replace(/(?<=.)\/$/, '')).success,
  'an absolute path, such as /etc/motd, or a directory with a slash at its end, such as /etc/',
);

const params = z
  .strictObject({
    src: text
      .min(1)
      .optional()
      .describe(
        'File of the control machine: a path relative to the folder of the playbook, or else of the inventory. Of any kind and size.',
      )
      .meta(localPath),
    content: fileContent.optional().describe('The whole content, instead of `src`; at most 128 KiB.'),
    dest: destination.describe('Absolute path on the host. With a slash at its end: the directory that gets the file, under its own name.'),
    owner: accountName.default('root').describe('User that owns the file, by name or number.'),
    group: accountName.default('root').describe('Group that owns the file, by name or number.'),
    mode: fileMode
      .default('0644')
      .describe('Octal mode in quotes. The content of a file that not everybody may read is shown in no plan, only its SHA-256.'),
    make_parent: z.boolean().default(false).describe('Makes the directory that holds the file (root, 0755) where it is missing.'),
    validate: validator,
  })
  .refine((want) => (want.src === undefined) !== (want.content === undefined), 'one of "src" and "content"')
  .refine((want) => want.src !== undefined || !want.dest.endsWith('/'), 'without "src", "dest" is the path of the file itself')
  .refine(
    (want) => !/(^|\/)\.{0,2}$/.test(want.src ?? 'file'),
    '"src" is the path of a file; for a whole directory pack it, and use unarchive',
  );

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenBytes>({
  summary: 'A file of the control machine, or a text, put on the host with its owner and mode.',
  params,
  touches: (want) => [`file:${pathOf(want)}`],
  probe: (want) => bytesProbe(pathOf(want)),
  parse: (output) => parseBytes(output),
  plan: (seen, want, context) => (want.src === undefined ? fromText(seen, want, context) : fromFile(seen, want.src, want, context)),
  settled: (want) =>
    `${pathOf(want)} has ${want.src === undefined ? 'this content' : `the bytes of ${want.src}`}, ${want.owner}:${want.group} ${want.mode}`,
  example: { content: 'Authorised use only.\n', dest: '/etc/motd', owner: 'root', group: 'root', mode: '0644', make_parent: false },
});

function pathOf({ src, dest }: Want): string {
  return dest.endsWith('/') ? `${dest}${posix.basename(src ?? '')}` : dest;
}

function common(want: Want) {
  return { path: pathOf(want), owner: want.owner, group: want.group, mode: want.mode, makeParent: want.make_parent };
}

function fromText(seen: SeenBytes, want: Want, context: PlanContext): readonly Change[] {
  return fileChange({ ...common(want), seen: seen.file, content: want.content ?? '', validate: validateWith(want.validate), context });
}

function fromFile(seen: SeenBytes, src: string, want: Want, { fleet }: PlanContext): readonly Change[] {
  const file = localFile(src, fleet.file);
  const everybody = (Number.parseInt(want.mode, 8) & 0o004) !== 0;
  return bytesChange({
    ...common(want),
    seen,
    blob: blobOf(file),
    size: file.size,
    text: everybody ? file.text : undefined,
    validate: validateWith(want.validate),
  });
}
