/** One word in a playbook: nginx compiled from source once, and that binary installed and running. */
import { z } from 'zod';
import { type Change, defineTask, lines, sh } from '../task.ts';
import { configureArguments, nginxArtefact } from './support/nginx/build.ts';
import { configureFlag } from './support/nginx/flags.ts';
import { binary, installNginx, isInstalled } from './support/nginx/install.ts';
import { nginxLayout } from './support/nginx/layout.ts';
import { binaryIsCurrent, nginxHandlers, probeBinary, restartNginx, validNginx } from './support/nginx/process.ts';
import { accountName, text } from './support/params.ts';
import { installPrefix, sameFlags, splitArguments } from './support/source/configure.ts';
import { installedProbe, parseInstalled, type SeenInstall } from './support/source/install.ts';
import { atLeast } from './support/version.ts';

const params = z.strictObject({
  version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'a version such as 1.26.3')
    .refine((version) => !/^[\d.]+$/.test(version) || atLeast(version, '1.20.2'), {
      error:
        'versions below 1.20.2 do not compile on current systems (1.14 with the C library, 1.16 and 1.18 with OpenSSL 3); take 1.20.2 or later',
    })
    .describe('Version of nginx, 1.20.2 or later'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in small letters')
    .describe('SHA-256 of the source archive'),
  sources: z.array(text.min(1)).min(1).describe('Where the control machine gets the source, tried in order: paths or URLs'),
  configure: z.array(configureFlag).max(200).describe("Words for nginx's configure, without prefix, user and group"),
  prefix: installPrefix.describe('Folder that nginx is installed to'),
  on: z.string().min(1).default('first').describe('Who compiles: the first host that needs it, each for itself, or the host of this name'),
  user: accountName.describe('User of the workers'),
  group: accountName.describe('Group of the workers'),
  build_packages: z
    .array(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$/, 'the name of a package'))
    .optional()
    .describe('Packages that a build needs, instead of those that follow from the flags'),
});

type Want = z.output<typeof params>;

interface SeenNginx extends SeenInstall {
  /** Absent where no nginx is installed or the installed one does not start. */
  readonly version: string | undefined;
  readonly arguments: readonly string[];
  /** Whether the process runs the installed binary. */
  readonly process: 'none' | 'current' | 'old';
}

export default defineTask<Want, SeenNginx>({
  summary: 'Compiles nginx from source once for all hosts of a kind, installs the result, and has it running.',
  params,
  touches: (want) => [`tree:${want.prefix}`, `file:${want.prefix}/sbin/nginx`, 'package:libraries and compiler'],
  needs: (want) => [`user:${want.user}`, `group:${want.group}`],
  probe: (want) =>
    lines(
      installedProbe({ prefix: want.prefix, binary }),
      sh`[ ! -f "$binary" ] || "$binary" -V 2>&1 | while IFS= read -r line; do printf 'says %s\n' "$line"; done`,
      probeBinary(nginxLayout(want.prefix)),
    ),
  parse: ({ stdout }) => parse(stdout),
  plan: (seen, want, { facts }) => {
    const artefact = nginxArtefact(want, facts);
    const same = seen.version === want.version && sameFlags(seen.arguments, configureArguments(want));
    if (same && !seen.replaced && (seen.key === undefined || seen.key === artefact.key)) {
      return seen.process === 'old' ? [restartChange(want)] : [];
    }
    const install = { prefix: want.prefix, key: artefact.key, manager: facts.packageManager };
    return [
      {
        id: 'install',
        title: `install nginx ${want.version} in ${want.prefix}`,
        was: shown(seen),
        will: listed(want.version, configureArguments(want), artefact.key),
        run: installNginx(install),
        unless: isInstalled(install),
        timeout: 600,
        notify: ['nginx.restart'],
        consumes: artefact,
      },
    ];
  },
  settled: ({ version, configure }) =>
    `nginx ${version} ${configure.length === 0 ? 'without flags' : `with ${configure.length === 1 ? 'this flag' : `these ${configure.length} flags`}`} is already built`,
  handlers: (want) => ({ 'nginx.restart': nginxHandlers(nginxLayout(want.prefix))['nginx.restart'] }),
  example: {
    version: '1.26.3',
    sha256: '69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa',
    sources: ['nginx-1.26.3.tar.gz', 'https://nginx.org/download/nginx-1.26.3.tar.gz'],
    configure: ['--with-http_ssl_module', '--with-http_stub_status_module'],
    prefix: '/usr/local/nginx',
    on: 'first',
    user: 'nginx',
    group: 'nginx',
  },
});

function parse(stdout: string): SeenNginx {
  const said = (pattern: RegExp): string | undefined => pattern.exec(stdout)?.[1];
  const process = said(/^binary (current|old)$/m);
  return {
    version: said(/^says nginx version: nginx\/(\d+\.\d+\.\d+)/m),
    arguments: splitArguments(said(/^says configure arguments: (.*)$/m) ?? ''),
    ...parseInstalled(stdout),
    process: process === 'current' || process === 'old' ? process : 'none',
  };
}

/** What the diff shows of the host: version and flags, and what is wrong where those are right. */
function shown(seen: SeenNginx): string {
  if (!seen.present) return '';
  if (seen.version === undefined) return '(a binary that does not start)\n';
  return `${listed(seen.version, seen.arguments, seen.key)}${seen.replaced ? '(the binary is not the one that was installed)\n' : ''}`;
}

function listed(version: string, flags: readonly string[], build: string | undefined): string {
  const from = build === undefined ? [] : [`from build ${build}`];
  return [`nginx ${version}`, ...[...flags].sort(), ...from].map((line) => `${line}\n`).join('');
}

function restartChange({ prefix, version }: Want): Change {
  const layout = nginxLayout(prefix);
  return {
    id: 'live:restart',
    title: `restart nginx: it runs another binary than the installed ${version}`,
    was: 'running: a binary that has been replaced\n',
    will: `running: nginx ${version}\n`,
    unless: binaryIsCurrent(layout),
    validate: validNginx(layout),
    run: restartNginx(layout),
    risk: 'restart',
  };
}
