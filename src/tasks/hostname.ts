import { z } from 'zod';
import { type Change, defineTask, lines, type PlanContext, sh } from '../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';

const path = '/etc/hostname';

const params = z.strictObject({
  name: z
    .string()
    .max(64, 'at most 64 characters: the kernel takes no more')
    .regex(
      /^(?!.*\.[0-9]+$|[0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
      'a host name such as web1 or web1.example.org: small letters, digits and "-", not only digits',
    )
    .describe('Name of the host. For a cluster the short one of the inventory will do: `<%= host.name %>`.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  /** What the kernel says now. */
  readonly live: string;
  readonly file: SeenFile;
}

export default defineTask<Want, Seen>({
  summary: 'The name of the host: what the kernel says now, and what it will be told at the next boot.',
  params,
  touches: () => ['hostname:live', `file:${path}`],
  probe: () => lines(filesProbe([path]), sh`read -r name </proc/sys/kernel/hostname && printf 'live %s\n' "$name"`),
  parse: (output) => {
    const { files, rest } = parseFiles(output, [path]);
    return { live: /^live (.*)$/m.exec(rest)?.[1] ?? '', file: files[0] as SeenFile };
  },
  plan: (seen, want, context) => [...(seen.live === want.name ? [] : [setLive(seen, want)]), ...persisted(seen.file, want, context)],
  settled: (want) => `the host is called ${want.name}, now and after a reboot`,
  example: { name: 'web1' },
});

function setLive({ live }: Seen, { name }: Want): Change {
  return {
    id: 'live:hostname',
    title: `call the host ${name} now${live === '' ? '' : `; it is called ${live.replace(/[^\w.()-]/g, '?')}`}`,
    was: `${live}\n`,
    will: `${name}\n`,
    run: sh`printf '%s\n' ${name} >/proc/sys/kernel/hostname`,
    unless: sh`read -r name </proc/sys/kernel/hostname && [ "$name" = ${name} ]`,
  };
}

/** The first line that is neither empty nor a comment counts (hostname(5)); a file that says the right name stays as it is. */
function persisted(file: SeenFile, { name }: Want, context: PlanContext): readonly Change[] {
  const said = file.content
    ?.split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
  const content = file.type === 'file' && said === name ? (file.content ?? '') : `${name}\n`;
  return fileChange({ seen: file, path, content, context: content === file.content ? { same: () => true } : context });
}
