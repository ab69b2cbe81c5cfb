import type {
  Fleet,
  Host,
  LabSettings,
  Nat,
  Nic,
  ReverseProxy,
  SshSettings,
  StaticDirectors,
  System,
  VirtualAddress,
  Vrrp,
} from '../../model.ts';
import { addressOf, expandRange, familyOf, prefixOf, wholeLength } from '../addresses.ts';
import { defined } from '../defined.ts';
import { type HostEntry, hostEntries } from '../hosts/entries.ts';
import type { ResolvedGroups } from '../hosts/groups.ts';
import type { SshShape } from '../schema/host.ts';
import type { InventoryShape } from '../schema/inventory.ts';
import { buildProxy } from './proxy.ts';
import { buildService } from './service.ts';
import { buildApache, buildNginx, buildProgram, wantedListeners } from './software.ts';
import { buildVrrp, saidInstances } from './vrrp.ts';

/**
 * The inventory as the data that the other stages read, every default filled in. `file` is the inventory's path. What the rules
 * complain about later (a backend that is not there) is left out.
 */
export function buildFleet(shape: InventoryShape, resolved: Pick<ResolvedGroups, 'groups' | 'precedence'>, file: string): Fleet {
  const hosts = hostEntries(shape).map((entry) => buildHost(entry, shape, resolved));
  const services = (shape.services ?? []).map((service) => buildService(service, hosts, file));
  const proxy = shape.proxy && buildProxy(shape.proxy.sites, hosts);
  const vips = [...new Set([...services, ...(proxy?.sites ?? [])].map(({ vip }) => vip))];
  const nat = shape.nat && buildNat(shape.nat);
  const vrrp = shape.vrrp && buildVrrp(shape.vrrp, { vips, nat, file });
  return defined({
    cluster: shape.cluster,
    file,
    hosts,
    groups: resolved.groups,
    vrrp,
    static: vrrp ? undefined : shape.static && buildStatic(shape.static),
    services,
    proxy,
    vips,
    virtualAddresses: buildAddresses(vrrp, shape, vips, nat),
    nat,
    sync: shape.sync,
    selinux: shape.selinux,
    firewall: shape.firewall,
    ...buildSoftware(shape, { services, proxy, file }),
    packages: shape.packages,
    system: buildSystem(shape.system),
    vars: shape.vars ?? {},
    lab: defined(shape.lab) satisfies LabSettings,
  });
}

function buildSoftware(
  shape: InventoryShape,
  { services, proxy, file }: Pick<Fleet, 'services' | 'file'> & { readonly proxy: ReverseProxy | undefined },
) {
  const wanted = wantedListeners(services, proxy);
  return {
    nginx: shape.nginx && buildNginx(shape.nginx, wanted, file),
    apache: shape.apache && buildApache(shape.apache, wanted),
    keepalivedSource: shape.keepalived && buildProgram('keepalived', shape.keepalived.source, file),
    ipvsadmSource: shape.ipvsadm && buildProgram('ipvsadm', shape.ipvsadm.source, file),
  };
}

function buildNat({ gateway, interface: nic, replies }: NonNullable<InventoryShape['nat']>): Nat {
  return { gateway: { address: addressOf(gateway), prefix: Number(prefixOf(gateway)), interface: nic }, replies };
}

function buildStatic({ interface: nic, check_interval }: NonNullable<InventoryShape['static']>): StaticDirectors {
  return defined({ interface: nic, checkInterval: check_interval });
}

function buildSystem({ tuning, hostnames, hosts_file, conn_tab_bits }: InventoryShape['system']): System {
  return defined({ tuning, hostnames, hostsFile: hosts_file, connTabBits: conn_tab_bits });
}

/** Every address that a director holds for others. Static ones hold their VIPs all the time, and the gateway too. */
function buildAddresses(
  vrrp: Vrrp | undefined,
  shape: InventoryShape,
  vips: readonly string[],
  nat: Nat | undefined,
): readonly VirtualAddress[] {
  if (vrrp) return vrrp.instances.flatMap(({ addresses }) => addresses);
  const own = vips.map((address) => ({ address, prefix: wholeLength(address), interface: shape.static?.interface ?? '' }));
  return [...own, ...(nat ? [nat.gateway] : [])];
}

function buildHost(entry: HostEntry, shape: InventoryShape, { groups, precedence }: Pick<ResolvedGroups, 'groups' | 'precedence'>): Host {
  const { name, role, said } = entry;
  const above = precedence.filter((group) => groups[group]?.includes(name)).flatMap((group) => shape.groups?.[group] ?? []);
  const own = {
    director: { ...prioritiesOf(said.priority, shape), heartbeats: heartbeatsOf(entry, shape), dip: said.dip ?? said.address },
    backend: { ...ripsOf(entry, shape), weight: said.weight ?? 1 },
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

/** The interface that carries `address` comes first, and `address` first on it. */
function buildInterfaces({ said }: HostEntry, shape: InventoryShape): readonly Nic[] {
  if (!said.interfaces) {
    const name = (shape.vrrp && saidInstances(shape.vrrp)[0]?.[1].interface) ?? shape.static?.interface ?? 'eth0';
    const length =
      shape.network && familyOf(shape.network) === familyOf(said.address) ? prefixOf(shape.network) : usualLength(said.address);
    return [{ name, addresses: [`${said.address}/${length}`] }];
  }
  const carries = (cidr: string) => addressOf(cidr) === said.address;
  const first = (list: readonly string[]) => [...list.filter(carries), ...list.filter((cidr) => !carries(cidr))];
  const nics = Object.entries(said.interfaces).map(([name, addresses]) => ({ name, addresses: first([addresses].flat()) }));
  const main = (nic: Nic) => nic.addresses.some(carries);
  return [...nics.filter(main), ...nics.filter((nic) => !main(nic))];
}

function usualLength(address: string): string {
  return familyOf(address) === 'ipv4' ? '24' : '64';
}

function prioritiesOf(said: HostEntry['said']['priority'], { vrrp }: InventoryShape): Pick<Host, 'priority' | 'priorities'> {
  if (said === undefined || !vrrp) return {};
  const names = saidInstances(vrrp).map(([name]) => name);
  const priorities = typeof said === 'number' ? Object.fromEntries(names.map((name) => [name, said])) : said;
  return defined({ priority: typeof said === 'number' ? said : said[names[0] ?? ''], priorities });
}

/** The host's first address of the instance's family on the interface of the heartbeat. */
function heartbeatsOf(entry: HostEntry, shape: InventoryShape): Readonly<Record<string, string>> | undefined {
  if (!shape.vrrp) return undefined;
  const nics = buildInterfaces(entry, shape);
  const vips = [...(shape.services ?? []), ...(shape.proxy?.sites ?? [])].map(({ vip }) => vip);
  const found = saidInstances(shape.vrrp).flatMap(([name, said]) => {
    const family = familyOf(said.vips?.[0] ?? vips[0] ?? '');
    const carried = nics.find((nic) => nic.name === said.interface)?.addresses.map(addressOf) ?? [];
    const own = carried.find((address) => familyOf(address) === family);
    return own === undefined ? [] : [[name, own] as const];
  });
  return Object.fromEntries(found);
}

/** One address of each family: as said, else `address` and the first of the other family that an interface carries. */
function ripsOf(entry: HostEntry, shape: InventoryShape): Pick<Host, 'rip' | 'rips'> {
  const { said } = entry;
  if (said.rip !== undefined) {
    const rips = [said.rip].flat();
    return { rip: rips[0] ?? said.address, rips };
  }
  const carried = buildInterfaces(entry, shape).flatMap(({ addresses }) => addresses.map(addressOf));
  const other = carried.find((address) => familyOf(address) !== familyOf(said.address));
  return { rip: said.address, rips: other === undefined ? [said.address] : [said.address, other] };
}
