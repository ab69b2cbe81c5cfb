/** nginx on the directors as typed → upstreams and sites. */
import type { Host, ProxySite, ReverseProxy, Upstream } from '../../model.ts';
import { familyOf } from '../addresses.ts';
import { defined } from '../defined.ts';
import { chosenBackends } from '../hosts/entries.ts';
import type { SiteShape } from '../schema/proxy.ts';

type Choice = Pick<SiteShape, 'backends'> & { readonly port: number };

export function buildProxy(sites: readonly SiteShape[], hosts: readonly Host[]): ReverseProxy {
  const built = sites.map((said, index) => {
    const name = `site_${index + 1}`;
    const main = buildUpstream(name, { backends: said.backends, port: said.backend_port ?? said.port }, said, hosts);
    const others = said.by_user_agent.map(({ backends, port }, number) =>
      buildUpstream(`${name}_${number + 1}`, { backends, port: port ?? said.backend_port ?? said.port }, said, hosts),
    );
    return { upstreams: [main, ...others], site: buildSite(said, name) };
  });
  return { upstreams: built.flatMap(({ upstreams }) => upstreams), sites: built.map(({ site }) => site) };
}

function buildUpstream(name: string, { backends, port }: Choice, said: SiteShape, hosts: readonly Host[]): Upstream {
  const { names, settings } = chosenBackends(backends);
  const chosen = hosts.filter((host) => host.role === 'backend' && (names?.includes(host.name) ?? true));
  const servers = chosen.map((host) => {
    const own = settings[host.name];
    return {
      host: host.name,
      // Either family will do: nginx makes connections of its own.
      address: host.rips?.find((rip) => familyOf(rip) === familyOf(said.vip)) ?? host.rip ?? host.address,
      port: own?.port ?? port,
      weight: own?.weight ?? host.weight ?? 1,
      maxFails: own?.max_fails ?? said.max_fails,
      failTimeout: own?.fail_timeout ?? said.fail_timeout,
      backup: own?.backup ?? false,
    };
  });
  return { name, method: said.method, servers };
}

function buildSite(said: SiteShape, upstream: string): ProxySite {
  return defined({
    vip: said.vip,
    port: said.port,
    serverName: said.server_name,
    upstream,
    byUserAgent: said.by_user_agent.map(({ match }, number) => ({ match, upstream: `${upstream}_${number + 1}` })),
    clientMaxBodySize: said.client_max_body_size,
    accessLog: said.access_log,
    connectTimeout: said.connect_timeout,
    sendTimeout: said.send_timeout,
    readTimeout: said.read_timeout,
    bufferSize: said.buffer_size,
    buffers: said.buffers,
  });
}
