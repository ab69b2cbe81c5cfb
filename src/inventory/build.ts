import { dirname, isAbsolute, join } from 'node:path';
import type { Fleet, HealthCheck, Host, LabSettings, Nginx, Nic, RealServer, SshSettings, VirtualServer, Vrrp } from '../model.ts';
import { addressOf, expandRange, prefixOf } from './addresses.ts';
import { chosenBackends, type HostEntry, hostEntries } from './entries.ts';
import type { ResolvedGroups } from './groups.ts';
import type { SshShape } from './host-schema.ts';
import type { InventoryShape, ServiceShape } from './schema.ts';

/** The same object type with optional keys there or not there, but never undefined. */
type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Leaves out the keys whose value is undefined. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>;
}

/**
 * The inventory as the data that the other stages read, every default filled in. `file` is the inventory's path. What the rules
 * complain about later (a backend that is not there) is left out.
 */
export function buildFleet(shape: InventoryShape, resolved: Pick<ResolvedGroups, 'groups' | 'precedence'>, file: string): Fleet {
  const hosts = hostEntries(shape).map((entry) => buildHost(entry, shape, resolved));
  const services = shape.services.map((service) => buildService(service, hosts));
  return {
    cluster: shape.cluster,
    file,
    hosts,
    groups: resolved.groups,
    vrrp: buildVrrp(shape.vrrp),
    services,
    vips: [...new Set(services.map((service) => service.vip))],
    selinux: shape.selinux,
    firewall: shape.firewall,
    ...(shape.nginx && { nginx: buildNginx(shape.nginx, services[0]?.port ?? 80, file) }),
    vars: shape.vars ?? {},
    lab: defined(shape.lab) satisfies LabSettings,
  };
}

function buildHost(entry: HostEntry, shape: InventoryShape, { groups, precedence }: Pick<ResolvedGroups, 'groups' | 'precedence'>): Host {
  const { name, role, said } = entry;
  const above = precedence.filter((group) => groups[group]?.includes(name)).flatMap((group) => shape.groups?.[group] ?? []);
  const own = {
    director: { priority: said.priority, dip: said.dip ?? said.address },
    backend: { rip: said.rip ?? said.address, weight: said.weight ?? 1 },
    client: { sources: said.sources?.flatMap(expandRange) },
  };
  return defined({
    name,
    role,
    address: said.address,
    ssh: buildSsh([shape.ssh, ...above.map((group) => group.ssh), said.ssh]),
    interfaces: buildInterfaces(entry, shape),
    vars: Object.assign({}, shape.vars, ...above.map((group) => group.vars), said.vars) as Record<string, unknown>,
    ...own[role],
  });
}

/** The last word counts: cluster, groups in rising precedence, host. */
function buildSsh(said: readonly (SshShape | undefined)[]): SshSettings {
  const layers = said.map((layer) => defined(layer ?? {}));
  const all: SshShape = Object.assign({}, ...layers);
  const { user = 'root', port = 22, timeout = 10, sudo = true, key } = all;
  // Root needs no sudo; that there shall be none counts for whoever ~/.ssh/config makes of an unsaid user.
  return defined({ user, port, key, timeout, sudo: user === 'root' && sudo ? undefined : sudo, said: Object.keys(all) });
}

/** The interface that carries `address` comes first. */
function buildInterfaces({ said }: HostEntry, shape: InventoryShape): readonly Nic[] {
  if (!said.interfaces) {
    return [{ name: shape.vrrp.interface, address: `${said.address}/${shape.network ? prefixOf(shape.network) : '24'}` }];
  }
  const nics = Object.entries(said.interfaces).map(([name, address]) => ({ name, address }));
  const carries = (nic: Nic) => addressOf(nic.address) === said.address;
  return [...nics.filter(carries), ...nics.filter((nic) => !carries(nic))];
}

function buildVrrp({ vip_interface, auth_pass, ...said }: InventoryShape['vrrp']): Vrrp {
  return defined({ ...said, vipInterface: vip_interface ?? said.interface, authPass: auth_pass });
}

function buildService(said: ServiceShape, hosts: readonly Host[]): VirtualServer {
  const [sorryAddress = '', sorryPort] = said.sorry_server?.split(':') ?? [];
  return defined({
    vip: addressOf(said.vip),
    port: said.port,
    protocol: said.protocol,
    scheduler: said.scheduler,
    forward: said.forward,
    persistence: said.persistence,
    check: buildCheck(said.check),
    realServers: buildRealServers(said, hosts),
    sorryServer: said.sorry_server === undefined ? undefined : { address: sorryAddress, port: Number(sorryPort) },
  });
}

function buildCheck(said: ServiceShape['check']): HealthCheck {
  const { timeout, retry, delay_before_retry } = said.http ?? said.tcp ?? { timeout: 3, retry: 3, delay_before_retry: 3 };
  const times = { timeout, retry, delayBeforeRetry: delay_before_retry, delayLoop: said.delay_loop };
  if (!said.http) return { kind: 'tcp', ...times };
  return defined({ kind: 'http' as const, ...times, path: said.http.path, hostHeader: said.http.host, status: said.http.status });
}

function buildRealServers(service: ServiceShape, hosts: readonly Host[]): readonly RealServer[] {
  const { names, settings } = chosenBackends(service);
  const chosen = hosts.filter((host) => host.role === 'backend' && (names?.includes(host.name) ?? true));
  return chosen.map((host) => ({
    host: host.name,
    rip: host.rip ?? host.address,
    port: settings[host.name]?.port ?? service.port,
    weight: settings[host.name]?.weight ?? host.weight ?? 1,
  }));
}

function buildNginx({ source, build, port, ...said }: NonNullable<InventoryShape['nginx']>, servicePort: number, file: string): Nginx {
  return defined({ ...said, buildOn: build.on, port: port ?? servicePort, source: source && buildSource(source, file) });
}

function buildSource(said: NonNullable<NonNullable<InventoryShape['nginx']>['source']>, file: string): NonNullable<Nginx['source']> {
  const path = said.file === undefined || isAbsolute(said.file) ? said.file : join(dirname(file), said.file);
  const url = path === undefined ? (said.url ?? `https://nginx.org/download/nginx-${said.version}.tar.gz`) : undefined;
  return defined({ ...said, sha256: said.sha256.toLowerCase(), url, file: path });
}
