/** One word in a playbook: the configuration of a built nginx, the page of this host, and that the running nginx has read it. */
import { z } from 'zod';
import { type Change, defineTask, lines } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { nginxPrefix } from './support/nginx-flags.ts';
import { configIsLoaded, nginxHandlers, probeConfig, reloadNginx, validNginx } from './support/nginx-process.ts';
import { accountName, fileContent } from './support/params.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/write-file.ts';

const params = z
  .strictObject({
    prefix: nginxPrefix.describe('Folder that nginx is installed to'),
    user: accountName.describe('User of the workers'),
    group: accountName.describe('Group of the workers'),
    port: z.int().min(1).max(65535).describe('Port of the page'),
    listen: z
      .array(z.ipv4({ error: 'an IPv4 address' }))
      .min(1)
      .default(['0.0.0.0'])
      .describe('Addresses that nginx listens on; 0.0.0.0 covers RIP and VIP'),
    marker: fileContent.describe('Body of the page, usually the name of the host, so that answers can be told apart'),
    nofile: z.int().min(64).max(1073741816).describe('Open files per worker'),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(1024)])
      .default('auto')
      .describe('Number of workers; auto: one per processor'),
    connections: z
      .int()
      .min(16)
      .max(1000000)
      .optional()
      .describe('Connections per worker, at most nofile; 1024 unless said, or nofile where that is less'),
    keepalive: z.int().min(0).max(86400).default(65).describe('Seconds that an idle connection of a client is kept; 0: none is'),
  })
  .refine(({ connections, nofile }) => (connections ?? 0) <= nofile, {
    error: 'more connections than open files: raise nofile or lower connections',
    path: ['connections'],
  });

type Want = z.output<typeof params>;

interface SeenConfig {
  readonly config: SeenFile;
  readonly page: SeenFile;
  /** Whether the running nginx has read the configuration that is there. */
  readonly process: 'none' | 'loaded' | 'pending';
}

const configPath = ({ prefix }: Want): string => `${prefix}/conf/nginx.conf`;
const pagePath = ({ prefix }: Want): string => `${prefix}/html/index.html`;

export default defineTask<Want, SeenConfig>({
  summary: "Writes nginx.conf and this host's page, and has the running nginx read them.",
  params,
  touches: (want) => [`file:${configPath(want)}`, `file:${pagePath(want)}`],
  needs: (want) => [`file:${want.prefix}/sbin/nginx`, `user:${want.user}`, `group:${want.group}`],
  probe: (want) => lines(filesProbe([configPath(want), pagePath(want)]), probeConfig(want.prefix)),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, [configPath(want), pagePath(want)]);
    const [config, page] = files as [SeenFile, SeenFile];
    const process = /^config (loaded|pending)$/m.exec(rest)?.[1];
    return { config, page, process: process === 'loaded' || process === 'pending' ? process : 'none' };
  },
  plan: (seen, want, context) => {
    const { port, listen, marker, connections = Math.min(1024, want.nofile), ...rest } = want;
    const values = { ...rest, connections, listen: listen.map((address) => `${address}:${port}`) };
    const content = renderTemplate(loadTemplate('nginx.conf.ejs'), values);
    const config = fileChange({
      seen: seen.config,
      path: configPath(want),
      content,
      validate: (staged) => validNginx(want.prefix, staged),
      notify: ['nginx.reload'],
      context,
    });
    // A page is read anew for every request: nothing has to be told.
    const page = fileChange({ seen: seen.page, path: pagePath(want), content: `${marker}\n`, context });
    const live = config.length === 0 && seen.process === 'pending' ? [reloadChange(want)] : [];
    return [...config, ...live, ...page];
  },
  settled: (want, seen) =>
    `${configPath(want)} and the page of this host are as wanted${seen.process === 'loaded' ? ', and nginx has loaded them' : ''}`,
  handlers: (want) => nginxHandlers(want.prefix),
  example: {
    prefix: '/usr/local/nginx',
    user: 'nginx',
    group: 'nginx',
    port: 80,
    listen: ['0.0.0.0'],
    marker: 'web1',
    nofile: 65536,
    workers: 'auto',
    connections: 1024,
    keepalive: 65,
  },
});

function reloadChange(want: Want): Change {
  return {
    id: 'live:reload',
    title: 'reload nginx: it runs with an older configuration',
    was: 'running with an older configuration\n',
    will: `running with ${configPath(want)}\n`,
    unless: configIsLoaded(want.prefix),
    validate: validNginx(want.prefix),
    run: reloadNginx(want.prefix),
  };
}
