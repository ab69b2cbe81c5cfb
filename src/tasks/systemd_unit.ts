import { posix } from 'node:path';
import { z } from 'zod';
import { type Change, defineTask, lines, refuse, sh } from '../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { fileContent } from './support/params.ts';
import { needSystemd, parseUnit, type SeenUnit, unitName, unitOf, unitProbe } from './support/systemd/unit.ts';
import { verifyUnit } from './support/systemd/verify-unit.ts';

const params = z.strictObject({
  name: unitName
    .refine((name) => unitOf(name) === name, 'the whole name of a unit with its ending, such as nginx.service')
    .describe('Name of the unit, with its ending.'),
  content: fileContent.describe('The whole text of the unit, or of the drop-in.'),
  enabled: z.boolean().optional().describe('Whether the unit starts with the host; as it is unless said.'),
  dropin: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*\.conf$/, 'a file name that ends in .conf, such as limits.conf')
    .optional()
    .describe("File name of a drop-in, such as limits.conf: the content then adds to somebody else's unit."),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly file: SeenFile;
  readonly unit: SeenUnit;
}

export default defineTask<Want, Seen>({
  summary: 'A unit of systemd, or a drop-in for one: the file, and that systemd has read it.',
  params,
  touches: (want) => [`file:${pathOf(want)}`, `unit:${want.name}`],
  probe: (want) => lines(filesProbe([pathOf(want)]), unitProbe(want.name)),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, [pathOf(want)]);
    return { file: files[0] as SeenFile, unit: parseUnit({ stdout: rest }) };
  },
  plan: (seen, want, { facts, same }) => {
    needSystemd(facts, 'the task systemd_unit');
    const path = pathOf(want);
    const validate = verifyUnit(want.name, want.dropin);
    const changes = fileChange({ seen: seen.file, path, content: want.content, makeParent: true, validate, context: { same } });
    const written = changes.map((change) => ({ ...change, run: lines(change.run, sh`[ $? -eq 0 ] && systemctl daemon-reload`) }));
    const stale = seen.unit.stale && changes.length === 0 ? [daemonReload(want)] : [];
    return [...written, ...stale, ...enablement(seen.unit, want)];
  },
  settled: (want) =>
    `${pathOf(want)} is as wanted, systemd has read it${want.enabled === undefined ? '' : `, and it ${want.enabled ? 'starts' : 'does not start'} with the host`}`,
  example: {
    name: 'nginx.service',
    content:
      '[Unit]\nDescription=nginx\n\n[Service]\nExecStart=/usr/local/nginx/sbin/nginx -g "daemon off;"\n\n[Install]\nWantedBy=multi-user.target\n',
    enabled: true,
  },
});

function pathOf({ name, dropin }: Want): string {
  return posix.join('/etc/systemd/system', dropin === undefined ? name : `${name}.d/${dropin}`);
}

function daemonReload(want: Want): Change {
  return {
    id: `daemon-reload:${want.name}`,
    title: `have systemd read ${want.name} again`,
    was: 'changed on disk, not read by systemd\n',
    will: 'read by systemd\n',
    run: sh`systemctl daemon-reload`,
  };
}

function enablement(seen: SeenUnit, want: Want): readonly Change[] {
  if (want.enabled === undefined) return [];
  if (want.enabled && want.dropin === undefined && !/^\[Install\]\s*$/m.test(want.content)) {
    throw refuse(`${want.name} has no [Install] section, so it cannot be enabled`, 'add one, or take "enabled" out');
  }
  const enabled = seen.file === 'enabled';
  if (want.enabled === enabled) return [];
  const verb = want.enabled ? 'enable' : 'disable';
  const was = `${seen.file || 'no unit file yet'}\n`;
  return [
    { id: `${verb}:${want.name}`, title: `${verb} ${want.name}`, was, will: `${verb}d\n`, run: sh`systemctl ${verb} -- ${want.name}` },
  ];
}
