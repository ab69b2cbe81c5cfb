/** One word in a playbook: nginx as a reverse proxy, with a file of its own beside whatever else nginx serves. */
import { posix } from 'node:path';
import { type Change, defineTask, type Facts, lines, type Sh, sh } from '../task.ts';
import { loadTemplate, renderTemplate } from '../templates/render.ts';
import { makeDirectory } from './support/files/file-states.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { type NginxLayout, nginxLayout } from './support/nginx/layout.ts';
import { type ConfigState, configStateOf, nginxHandlers, probeConfig, reloadChange, validNginx } from './support/nginx/process.ts';
import { type ProxyWant, proxyParams } from './support/nginx/proxy-params.ts';
import { nginxServers } from './support/nginx/sites.ts';
import { endpointOf, endpoints } from './support/web-sites.ts';

interface SeenProxy {
  readonly config: SeenFile;
  /** Debian's page of welcome, which answers on port 80. */
  readonly welcome: SeenFile;
  /** In the order of `logFolders`. */
  readonly folders: readonly SeenFile[];
  readonly installed: boolean;
  readonly process: ConfigState;
}

const welcomePath = '/etc/nginx/sites-enabled/default';
const layoutOf = ({ prefix }: Pick<ProxyWant, 'prefix'>) => nginxLayout(prefix);
const configPath = (want: ProxyWant): string => `${layoutOf(want).folder}/conf.d/lvsctl-proxy.conf`;
const pathsOf = (want: ProxyWant): readonly string[] => [configPath(want), welcomePath, ...logFolders(want)];

export default defineTask<ProxyWant, SeenProxy>({
  summary: 'nginx as a reverse proxy: upstreams and the sites that are passed on to them, loaded by the running nginx.',
  params: proxyParams,
  touches: (want) => [
    `file:${configPath(want)}`,
    ...(want.prefix === undefined ? [`file:${welcomePath}`] : []),
    // Logs are nginx's: they go with a folder that was not there before.
    ...logFolders(want).map((path) => `tree:${path}`),
  ],
  needs: (want) => [
    want.prefix === undefined ? 'package:nginx' : `file:${layoutOf(want).binary}`,
    `file:${layoutOf(want).folder}/nginx.conf`,
  ],
  probe: (want) =>
    lines(filesProbe(pathsOf(want)), probeConfig(layoutOf(want)), sh`[ ! -x ${layoutOf(want).binary} ] || printf 'installed\n'`),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, pathsOf(want));
    const [config, welcome, ...folders] = files as [SeenFile, SeenFile, ...SeenFile[]];
    return {
      config,
      welcome,
      folders,
      installed: /^installed$/m.test(rest),
      process: configStateOf(rest),
    };
  },
  plan: (seen, want, context) => {
    const folders = logFolders(want).flatMap((path, index) => logFolder(seen.folders[index] as SeenFile, path));
    const welcome = removeWelcome(seen, want, context.facts);
    const config = fileChange({
      seen: seen.config,
      path: configPath(want),
      content: proxyConf(want),
      makeParent: true,
      validate: (staged) => validWith(layoutOf(want), configPath(want), staged),
      notify: ['nginx.reload'],
      context,
    });
    const live = config.length + welcome.length === 0 && seen.process === 'pending' ? [reloadChange(layoutOf(want), configPath(want))] : [];
    return [...folders, ...welcome, ...config, ...live];
  },
  settled: ({ sites, upstreams, prefix }, seen) =>
    `${configPath({ sites, upstreams, prefix })} passes ${counted(sites, 'site')} on to ${counted(upstreams, 'upstream')}${
      seen.process === 'loaded' ? ', and nginx has loaded it' : ''
    }`,
  handlers: (want) => nginxHandlers(layoutOf(want)),
  example: {
    upstreams: [
      {
        name: 'web',
        method: 'round_robin',
        servers: [
          { address: '10.18.43.13', port: 80, weight: 1, max_fails: 3, fail_timeout: 60, backup: false },
          { address: '10.18.43.14', port: 80, weight: 1, max_fails: 3, fail_timeout: 60, backup: false },
        ],
      },
    ],
    sites: [
      {
        name: 'www',
        listen: [{ port: 80 }],
        server_name: ['www.example.org'],
        upstream: 'web',
        user_agents: [],
        client_max_body_size: '200m',
        access_log: '/var/log/nginx/sites/www.log',
        connect_timeout: 5,
        send_timeout: 60,
        read_timeout: 60,
        buffering: true,
      },
    ],
  },
});

function counted(all: readonly unknown[], noun: string): string {
  return `${all.length} ${noun}${all.length === 1 ? '' : 's'}`;
}

/** nginx makes a log, but no folder for it. */
function logFolders({ sites, prefix }: ProxyWant): readonly string[] {
  const all = sites.flatMap(({ access_log }) => (access_log === undefined ? [] : [posix.dirname(access_log)]));
  return [...new Set(all)].filter((path) => path !== '/' && path !== nginxLayout(prefix).logs);
}

/** One that is there stays as it is: who may read logs is the host's own business. */
function logFolder(seen: SeenFile, path: string): readonly Change[] {
  if (seen.type === 'directory' || seen.type === 'link') return [];
  return makeDirectory({ ...seen, type: 'missing' }, { path, owner: 'root', group: 'root', mode: '0755', makeParent: true });
}

/** It would answer for every name that no site has, and where no name is given it wins. A package that comes yet brings it. */
function removeWelcome({ welcome, installed }: SeenProxy, { prefix, sites }: ProxyWant, { packageManager }: Facts): readonly Change[] {
  const target = '/etc/nginx/sites-available/default';
  const there = installed ? welcome.type === 'link' && welcome.target === target : packageManager === 'apt';
  if (prefix !== undefined || !there || !sites.some(({ listen }) => listen.some(({ port }) => port === 80))) return [];
  return [
    {
      id: `remove:${welcomePath}`,
      title: 'switch off the page of welcome that comes with nginx',
      was: `(symbolic link to ${target})\n`,
      will: '',
      unless: sh`[ "$(readlink -- ${welcomePath})" != ${target} ]`,
      run: sh`rm -f -- ${welcomePath}`,
      notify: ['nginx.reload'],
    },
  ];
}

/** The same on every director: nothing of the host is in it. */
function proxyConf({ upstreams, sites }: ProxyWant): string {
  const routed = sites.filter(({ user_agents }) => user_agents.length > 0);
  const variable = (name: string) => `$lvsctl_upstream_${routed.findIndex((site) => site.name === name) + 1}`;
  return renderTemplate(loadTemplate('nginx-proxy.conf.ejs'), {
    maps: routed.map(({ name, upstream, user_agents }) => ({
      agentVariable: variable(name),
      fallback: upstream,
      agents: user_agents.map((agent) => ({ pattern: agent.match, upstream: agent.upstream })),
    })),
    upstreams: upstreams.map((upstream) => ({ ...upstream, method: methodOf(upstream), servers: upstream.servers.map(serverWords) })),
    servers: [...catchers(sites), ...nginxServers(sites)].map((server) => {
      const { site } = server;
      return { status: 404, ...server, target: site && (site.user_agents.length > 0 ? variable(site.name) : site.upstream) };
    }),
  });
}

/**
 * A director does not hold every VIP, and nginx could not start with a socket on one that is elsewhere. It needs none where something
 * listens on every address of the port: then it tells by the address of the connection. What comes to no VIP is closed.
 */
function catchers(sites: ProxyWant['sites']) {
  const taken = [...endpoints(sites).keys()];
  const all = sites.flatMap(({ listen }) =>
    listen.map(({ address = '0.0.0.0', port }) => ({ address: address.includes(':') ? '::' : '0.0.0.0', port })),
  );
  const missing = [...new Set(all.map(endpointOf))].filter((endpoint) => !taken.includes(endpoint));
  return missing.map((endpoint) => ({
    site: undefined,
    listens: [`${endpoint} default_server`],
    names: ['_'],
    tls: undefined,
    status: 444,
  }));
}

function methodOf({ method, hash_key }: ProxyWant['upstreams'][number]): string | undefined {
  if (method === 'round_robin') return undefined;
  return method === 'hash' ? `hash $${hash_key} consistent` : method;
}

function serverWords(server: ProxyWant['upstreams'][number]['servers'][number]): string {
  const { weight, max_fails, fail_timeout, backup } = server;
  return `${endpointOf(server)} ${weight === 0 ? 'down' : `weight=${weight}`} max_fails=${max_fails} fail_timeout=${fail_timeout}s${backup ? ' backup' : ''}`;
}

/** The whole configuration with the staged file in the place of the old one: a copy of nginx.conf that includes all but that. */
function validWith(layout: NginxLayout, path: string, staged: Sh): Sh {
  return sh`main=${`${layout.folder}/nginx.conf`} copy=${`${layout.folder}/.lvsctl-proxy-test.conf`}
[ -f "$main" ] || { printf '%s\n' "there is no $main: install nginx first" >&2; exit 1; }
grep -q '^[[:blank:]]*include[[:blank:]].*conf\\.d/\\*\\.conf[[:blank:]]*;' "$main" || { printf '%s\n' "$main does not include conf.d/*.conf: write it with nginx_config and sites, of which there may be none" >&2; exit 1; }
for file in ${`${layout.folder}/conf.d`}/*.conf ${staged}; do
  [ "$file" = ${path} ] || [ ! -e "$file" ] || printf 'include "%s";\n' "$file"
done >"$copy.list"
sed -e '/^[[:blank:]]*include[[:blank:]].*conf\\.d\\/\\*\\.conf[[:blank:]]*;/{' -e "r $copy.list" -e d -e '}' "$main" >"$copy" && {
${validNginx(layout, sh`"$copy"`)}
}
valid=$?
rm -f -- "$copy" "$copy.list"
[ "$valid" -eq 0 ]`;
}
