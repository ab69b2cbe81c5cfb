/** One word in a playbook: the sites of the distribution's Apache, the pages of this host, and that the running Apache has read them. */
import { z } from 'zod';
import { type Change, defineTask, type Facts, lines, sh } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { apacheHandlers, apacheIsLoaded, probeApache, reloadApache, validApache } from './support/apache/process.ts';
import { listenLines, normal, virtualHosts } from './support/apache/sites.ts';
import { linkChange } from './support/files/file-states.ts';
import { asItCameProbe, isAsItCame, ownHead, refuseForeignFile } from './support/files/ownership.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { type ConfigState, configStateOf } from './support/nginx/process.ts';
import { fileContent } from './support/params.ts';
import { anyAddress, pageFile, plainName, plainPath, portNumber, refuseFaults, siteNames, sitePage } from './support/web-sites.ts';

const site = z
  .strictObject({
    name: plainName.describe('Name of the site; its page lies in a folder of that name'),
    listen: z
      .array(
        z.strictObject({
          address: anyAddress.optional().describe('Address; absent: every address of both families'),
          port: portNumber.describe('Port'),
        }),
      )
      .min(1)
      .describe('Where it listens'),
    server_name: siteNames,
    page: sitePage.page,
    path: sitePage.path,
    root: plainPath.optional().describe('DocumentRoot, which gets the page. Absent: a folder below /var/www/lvsctl'),
  })
  .refine(({ page, root }) => page !== undefined || root !== undefined, { error: '"page", "root" or both', path: ['page'] });

const params = z
  .strictObject({
    port: portNumber.optional().describe('The only site in short: port of the page'),
    marker: fileContent.optional().describe('The only site in short: body of the page, usually the name of the host'),
    sites: z.array(site).min(1).optional().describe('Instead of port and marker: any number of sites'),
  })
  .check(({ value: { port, marker, sites }, issues }) => {
    const wrong = (message: string) => issues.push({ code: 'custom', message, input: sites, path: ['sites'] });
    if (sites === undefined && (port === undefined || marker === undefined)) wrong('"port" and "marker", or "sites"');
    if (sites !== undefined && (port !== undefined || marker !== undefined)) wrong('either "sites" or "port" and "marker"');
    refuseFaults(normal(sites ?? []), issues);
  });

type Want = z.output<typeof params>;
type Site = z.output<typeof site>;

interface SeenApache {
  readonly fixed: Readonly<Record<keyof typeof paths, SeenFile>>;
  /** In the order of `pagesOf`. */
  readonly pages: readonly SeenFile[];
  /** Arguments of `Listen` that stand in other files of the Red Hat family. */
  readonly listens: readonly string[];
  readonly installed: boolean;
  /** The list of ports is what the package has brought. */
  readonly asItCame: boolean;
  readonly process: ConfigState;
}

/** What there is of these depends on the distribution; what is not there costs the probe nothing. */
const paths = {
  ports: '/etc/apache2/ports.conf',
  site: '/etc/apache2/sites-available/lvsctl.conf',
  link: '/etc/apache2/sites-enabled/lvsctl.conf',
  welcome: '/etc/apache2/sites-enabled/000-default.conf',
  httpd: '/etc/httpd/conf.d/lvsctl.conf',
} as const;

const names = Object.keys(paths) as readonly (keyof typeof paths)[];
const pathsOf = (want: Want): readonly string[] => [...Object.values(paths), ...pagesOf(want).map(({ path }) => path)];

export default defineTask<Want, SeenApache>({
  summary: "Writes the sites of the distribution's Apache (apache2 or httpd) and this host's pages, and has the running Apache read them.",
  params,
  touches: (want) => pathsOf(want).map((path) => `file:${path}`),
  probe: (want) =>
    lines(
      filesProbe(pathsOf(want)),
      probeApache,
      asItCameProbe(paths.ports),
      sh`[ ! -x /usr/sbin/apache2 ] && [ ! -x /usr/sbin/httpd ] || printf 'installed\n'`,
      sh`[ ! -d /etc/httpd/conf.d ] || for file in /etc/httpd/conf/httpd.conf /etc/httpd/conf.d/*.conf; do
  [ "$file" = ${paths.httpd} ] || sed -n 's/^[[:blank:]]*[Ll]isten[[:blank:]]\\{1,\\}/listen /p' "$file"
done`,
    ),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, pathsOf(want));
    return {
      fixed: Object.fromEntries(names.map((name, index) => [name, files[index]])) as SeenApache['fixed'],
      pages: files.slice(names.length),
      listens: [...rest.matchAll(/^listen (\S.*)$/gm)].map(([, value = '']) => value),
      installed: /^installed$/m.test(rest),
      asItCame: isAsItCame(rest),
      process: configStateOf(rest),
    };
  },
  plan: (seen, want, context) => {
    if (context.facts.packageManager !== 'dnf') refuseForeignFile(seen.fixed.ports, paths.ports, seen.asItCame, context);
    const pages = pagesOf(want).flatMap(({ path, content }, index) =>
      fileChange({ seen: seen.pages[index] as SeenFile, path, content, makeParent: true, context }),
    );
    const config = configChanges(seen, want, context).map((change) => ({ ...change, notify: ['apache.reload'] }));
    const live = config.length === 0 && seen.process === 'pending' ? [reloadChange(portsOf(want))] : [];
    return [...pages, ...config, ...live];
  },
  settled: (want, seen) => {
    const count = sitesOf(want).length;
    return `Apache's ${count === 1 ? 'site is' : `${count} sites are`} as wanted${seen.process === 'loaded' ? ', and Apache has loaded them' : ''}`;
  },
  handlers: (want) => apacheHandlers(portsOf(want)),
  example: { port: 80, marker: 'web1' },
});

function sitesOf({ sites, port = 80, marker = '' }: Want): readonly Site[] {
  return sites ?? [{ name: 'default', listen: [{ port }], page: marker, path: '/' }];
}

const portsOf = (want: Want): readonly number[] => [...new Set(sitesOf(want).flatMap(({ listen }) => listen.map(({ port }) => port)))];
const rootOf = ({ name, root = `/var/www/lvsctl/${name}` }: Site): string => root;

function pagesOf(want: Want): readonly { readonly path: string; readonly content: string }[] {
  return sitesOf(want).flatMap((each) =>
    each.page === undefined ? [] : [{ path: pageFile(rootOf(each), each.path), content: `${each.page}\n` }],
  );
}

/** Debian: ports, the site and that it is switched on, and that the page of welcome is off. Red Hat: one file, which all others precede. */
function configChanges(
  { fixed, listens, installed }: SeenApache,
  want: Want,
  context: { facts: Facts; same: (seen: string, want: string) => boolean },
): readonly Change[] {
  const sites = sitesOf(want);
  const validate = (staged: Parameters<typeof validApache>[1]) => validApache(portsOf(want), staged);
  if (context.facts.packageManager === 'dnf') {
    // The package that comes yet brings this.
    const lines = listenLines(sites, installed ? listens : ['80']);
    return fileChange({ seen: fixed.httpd, path: paths.httpd, content: apacheConf(sites, lines), validate, context });
  }
  const ports = `${ownHead}\n${listenLines(sites, [])
    .map((line) => `Listen ${line}\n`)
    .join('')}`;
  return [
    ...fileChange({ seen: fixed.site, path: paths.site, content: apacheConf(sites, []), validate, context }),
    ...fileChange({ seen: fixed.ports, path: paths.ports, content: ports, context }),
    ...linkChange(fixed.link, { path: paths.link, target: '../sites-available/lvsctl.conf', makeParent: false }),
    ...(installed && fixed.welcome.type !== 'link' ? [] : [removeWelcome]),
  ];
}

/** It would answer for every name that no site has. */
const removeWelcome: Change = {
  id: `remove:${paths.welcome}`,
  title: 'switch off the page of welcome that comes with Apache',
  was: '(symbolic link to ../sites-available/000-default.conf)\n',
  will: '',
  unless: sh`[ ! -L ${paths.welcome} ]`,
  run: sh`rm -f -- ${paths.welcome}`,
};

function apacheConf(sites: readonly Site[], listens: readonly string[]): string {
  const hosts = virtualHosts(sites).map(({ site, ...host }) => ({ ...host, root: site && rootOf(site) }));
  return renderTemplate(loadTemplate('apache.conf.ejs'), { listens, hosts });
}

function reloadChange(ports: readonly number[]): Change {
  return {
    id: 'live:reload',
    title: 'reload Apache: it runs with an older configuration',
    was: 'running with an older configuration\n',
    will: 'running with the configuration that is there\n',
    unless: apacheIsLoaded,
    validate: validApache(ports),
    run: reloadApache,
  };
}
