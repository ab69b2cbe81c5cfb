/** One word in a playbook: the configuration of nginx, the pages of this host, and that the running nginx has read it. */
import { defineTask, type Facts, lines, type PlanContext, refuse } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { asItCameProbe, isAsItCame, refuseForeignFile } from './support/files/ownership.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { nginxLayout } from './support/nginx/layout.ts';
import { type NginxSite, type NginxWant, nginxParams } from './support/nginx/params.ts';
import { type ConfigState, configStateOf, nginxHandlers, probeConfig, reloadChange, validNginx } from './support/nginx/process.ts';
import { nginxQuote, nginxServers } from './support/nginx/sites.ts';
import { endpointOf, pageFile } from './support/web-sites.ts';

interface SeenConfig {
  readonly config: SeenFile;
  /** It is what the package or the build has brought. */
  readonly asItCame: boolean;
  /** In the order of `pagesOf`. */
  readonly pages: readonly SeenFile[];
  /** Whether the running nginx has read the configuration that is there. */
  readonly process: ConfigState;
}

const layoutOf = ({ prefix }: Pick<NginxWant, 'prefix'>) => nginxLayout(prefix);
const configPath = (want: NginxWant): string => `${layoutOf(want).folder}/nginx.conf`;
const pathsOf = (want: NginxWant): readonly string[] => [configPath(want), ...pagesOf(want).map(({ path }) => path)];

export default defineTask<NginxWant, SeenConfig>({
  summary: "Writes nginx.conf and this host's pages, for a built nginx or that of the distribution, and has the running nginx read them.",
  params: nginxParams,
  touches: (want) => pathsOf(want).map((path) => `file:${path}`),
  needs: (want) => [
    want.prefix === undefined ? 'package:nginx' : `file:${layoutOf(want).binary}`,
    ...(want.user === undefined ? [] : [`user:${want.user}`]),
    ...(want.group === undefined ? [] : [`group:${want.group}`]),
    ...certificates(want).map((path) => `file:${path}`),
  ],
  probe: (want) => lines(filesProbe(pathsOf(want)), probeConfig(layoutOf(want)), asItCameProbe(configPath(want))),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, pathsOf(want));
    const [config, ...pages] = files as [SeenFile, ...SeenFile[]];
    return { config, pages, asItCame: isAsItCame(rest), process: configStateOf(rest) };
  },
  plan: (seen, want, context) => {
    refuseBuild(want, context);
    refuseForeignFile(seen.config, configPath(want), seen.asItCame, context);
    const config = fileChange({
      seen: seen.config,
      path: configPath(want),
      content: nginxConf(want, context.facts),
      validate: (staged) => validNginx(layoutOf(want), staged),
      notify: ['nginx.reload'],
      context,
    });
    // A page is read anew for every request: nothing has to be told.
    const pages = pagesOf(want).flatMap(({ path, content }, index) =>
      fileChange({ seen: seen.pages[index] as SeenFile, path, content, makeParent: true, context }),
    );
    const live = config.length === 0 && seen.process === 'pending' ? [reloadChange(layoutOf(want), configPath(want))] : [];
    return [...config, ...live, ...pages];
  },
  settled: (want, seen) => {
    const pages = pagesOf(want).length;
    const said = pages === 1 ? ' and the page of this host are' : pages === 0 ? ' is' : ` and the ${pages} pages of this host are`;
    return `${configPath(want)}${said} as wanted${seen.process === 'loaded' ? ', and nginx has loaded them' : ''}`;
  },
  handlers: (want) => nginxHandlers(layoutOf(want)),
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

/** The only site in short has its page where nginx itself has one; others each have a folder. */
function pagesOf(want: NginxWant): readonly { readonly path: string; readonly content: string }[] {
  const { pages } = layoutOf(want);
  if (want.sites === undefined) return [{ path: `${pages}/index.html`, content: `${want.marker}\n` }];
  return want.sites
    .filter((site) => site.page !== undefined && site.listen.some(({ protocol }) => protocol === 'tcp'))
    .map(({ name, page, path }) => ({ path: pageFile(`${pages}/${name}`, path), content: `${page}\n` }));
}

function certificates({ sites = [] }: NginxWant): readonly string[] {
  const all = sites.flatMap(({ listen }) => listen.flatMap(({ tls }) => (tls ? [tls.certificate, tls.key] : [])));
  return [...new Set(all)];
}

function nginxConf(want: NginxWant, facts: Facts): string {
  const { nofile, connections = Math.min(1024, nofile ?? 1024), prefix, workers, keepalive, sites } = want;
  const layout = layoutOf(want);
  const user = want.user ?? (facts.packageManager === 'apt' ? 'www-data' : 'nginx');
  return renderTemplate(loadTemplate('nginx.conf.ejs'), {
    ...{ layout, nofile, connections, workers, keepalive, user, group: want.group ?? user },
    packaged: prefix === undefined,
    included: prefix === undefined || sites !== undefined,
    servers: sites === undefined ? [onlyServer(want)] : serversOf(sites, layout.pages),
    datagrams: (sites ?? []).flatMap(datagramsOf),
  });
}

function onlyServer(want: NginxWant) {
  const { port = 80, listen } = want;
  return {
    listens: listen.map((address) => endpointOf({ address, port })),
    names: ['_'],
    tls: undefined,
    root: layoutOf(want).pages,
    status: 200,
    page: '/index.html',
  };
}

function serversOf(sites: readonly NginxSite[], pages: string) {
  return nginxServers(sites).map(({ site, ...server }) => ({
    ...server,
    root: site && (site.root ?? `${pages}/${site.name}`),
    status: site?.status ?? 404,
    page: site && (site.path.endsWith('/') ? `${site.path}index.html` : site.path),
  }));
}

function datagramsOf({ listen, page = '' }: NginxSite) {
  const listens = listen.filter(({ protocol }) => protocol === 'udp').map(endpointOf);
  return listens.length === 0 ? [] : [{ listens, answer: nginxQuote(`${page}\n`) }];
}

/** What will be built is known before it is there; of any other nginx its own test of the configuration tells. */
function refuseBuild({ prefix, sites = [] }: NginxWant, { fleet }: PlanContext): void {
  const source = fleet.nginx?.source;
  if (source === undefined || source.prefix !== prefix) return;
  const listens = sites.flatMap(({ listen }) => listen);
  const lacking = (flag: string) => !source.configure.some((each) => each === flag);
  const add = (flag: string) => `add ${flag} to nginx: source: configure: in the inventory`;
  if (listens.some(({ protocol }) => protocol === 'udp') && lacking('--with-stream')) {
    throw refuse('this nginx is built without what answers UDP', add('--with-stream'));
  }
  if (listens.some(({ tls }) => tls) && lacking('--with-http_ssl_module')) {
    throw refuse('this nginx is built without TLS', add('--with-http_ssl_module'));
  }
}
