import { z } from 'zod';
import { type Change, defineTask, type PlanContext, refuse } from '../task.ts';
import { linkChange, makeDirectory, removeChange } from './support/files/file-states.ts';
import { validateWith, validator } from './support/files/validator.ts';
import { fileChange, fileProbe, parseFile, type SeenFile } from './support/files/write-file.ts';
import { absolutePath, accountName, fileContent, fileMode, text } from './support/params.ts';

const params = z
  .strictObject({
    path: absolutePath.describe('Absolute path on the host.'),
    state: z
      .enum(['file', 'directory', 'link', 'absent'])
      .default('file')
      .describe('What is at the path. `absent` removes a file, a link or an empty directory, never more.'),
    content: fileContent
      .optional()
      .describe('The whole content of the file, at most 128 KiB; without it a missing file is made empty and another keeps its own.'),
    target: text.min(1).optional().describe('Where the link leads; needed by `state: link`.'),
    owner: accountName.default('root').describe('User that owns it, by name or number; a link has none.'),
    group: accountName.default('root').describe('Group that owns it, by name or number.'),
    mode: fileMode.optional().describe('Octal mode in quotes; "0644" for a file and "0755" for a directory unless said.'),
    make_parent: z.boolean().default(false).describe('Makes the directory that holds it (root, 0755) where it is missing.'),
    validate: validator,
  })
  .refine((want) => (want.state === 'link') === (want.target !== undefined), '"target" goes with "state: link", and only with it')
  .refine(
    (want) => want.state === 'file' || (want.content ?? want.validate) === undefined,
    '"content" and "validate" go with "state: file" only',
  );

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenFile>({
  summary: 'A file, a directory or a symbolic link, with its content, owner and mode; or none.',
  params,
  touches: (want) => [`file:${want.path}`],
  probe: (want) => fileProbe(want.path),
  parse: (output) => parseFile(output),
  plan: (seen, want, context) => {
    if (want.state === 'absent') return removeChange(seen, want.path);
    if (want.state === 'link') return linkChange(seen, { path: want.path, target: want.target ?? '', makeParent: want.make_parent });
    return want.state === 'directory' ? directory(seen, want) : regular(seen, want, context);
  },
  settled: (want) => {
    if (want.state === 'absent') return `there is nothing at ${want.path}`;
    if (want.state === 'link') return `${want.path} is a link to ${want.target}`;
    const attributes = `${want.owner}:${want.group} ${modeOf(want)}`;
    if (want.state === 'directory') return `${want.path} is a directory, ${attributes}`;
    return `${want.path} ${want.content === undefined ? 'is there' : 'has this content'}, ${attributes}`;
  },
  example: {
    path: '/etc/motd',
    state: 'file',
    content: 'Authorised use only.\n',
    owner: 'root',
    group: 'root',
    mode: '0644',
    make_parent: false,
  },
});

function modeOf({ mode, state }: Pick<Want, 'mode' | 'state'>): string {
  return mode ?? (state === 'directory' ? '0755' : '0644');
}

function regular(seen: SeenFile, want: Want, context: PlanContext): readonly Change[] {
  const common = { ...want, mode: modeOf(want), makeParent: want.make_parent };
  if (want.content === undefined && seen.type === 'file') {
    return fileChange({ ...common, seen: { ...seen, content: '' }, content: '', validate: undefined, context: { same: () => true } });
  }
  return fileChange({ ...common, seen, content: want.content ?? '', validate: validateWith(want.validate), context });
}

function directory(seen: SeenFile, want: Want): readonly Change[] {
  if (seen.type !== 'missing' && seen.type !== 'directory') {
    throw refuse(`${want.path} is there and is no directory`, 'move it away, or give another path');
  }
  return makeDirectory(seen, { ...want, mode: modeOf(want), makeParent: want.make_parent });
}
