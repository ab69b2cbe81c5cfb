import { z } from 'zod';
import { defineTask, refuse } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { validateWith, validator } from './support/files/validator.ts';
import { fileChange, fileProbe, parseFile, type SeenFile } from './support/files/write-file.ts';
import { absolutePath, accountName, fileMode, inlineLimit, localPath, templateText, text } from './support/params.ts';

const params = z.strictObject({
  path: absolutePath.describe('Absolute path on the host.'),
  template: text
    .min(1)
    .refine(
      (said) => said.endsWith('.ejs') || !/^\S*(\/\S*|\.j2)$/.test(said) || said.includes('<%'),
      'a file of a template ends in .ejs; this would be its whole text',
    )
    .describe(
      'EJS text (write `<%%=` in a playbook), or a file that ends in `.ejs`: a path relative to the folder of the playbook, or else of the inventory.',
    )
    .meta({ ...localPath, ...templateText }),
  vars: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Names that the template may use, beside `facts`, `host`, `fleet` and `vars` itself.'),
  owner: accountName.default('root').describe('User that owns the file, by name or number.'),
  group: accountName.default('root').describe('Group that owns the file, by name or number.'),
  mode: fileMode.default('0644').describe('Octal mode in quotes.'),
  make_parent: z.boolean().default(false).describe('Makes the directory that holds the file (root, 0755) where it is missing.'),
  validate: validator,
});

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenFile>({
  summary: 'A file made from a template, with its owner and mode. The template may use what is known of the host.',
  params,
  touches: (want) => [`file:${want.path}`],
  probe: (want) => fileProbe(want.path),
  parse: (output) => parseFile(output),
  plan: (seen, want, context) => {
    const { facts, host, fleet } = context;
    const template = loadTemplate(want.template, fleet.file);
    const content = renderTemplate(template, { ...want.vars, vars: want.vars, facts, host, fleet });
    if (Buffer.byteLength(content) > inlineLimit) {
      throw refuse(
        `the template for ${want.path} came out with more than ${inlineLimit / 1024} KiB`,
        'a file of that size is no configuration',
      );
    }
    if (content.includes('\0')) throw refuse(`the template for ${want.path} came out with a NUL character`, 'take it out');
    return fileChange({ ...want, seen, content, makeParent: want.make_parent, validate: validateWith(want.validate), context });
  },
  settled: (want) => `${want.path} is what its template makes, ${want.owner}:${want.group} ${want.mode}`,
  example: {
    path: '/etc/motd',
    template: 'This is <%= host.name %>, <%= role %> of the cluster <%= fleet.cluster %>.\n',
    vars: { role: 'backend' },
    owner: 'root',
    group: 'root',
    mode: '0644',
    make_parent: false,
  },
});
