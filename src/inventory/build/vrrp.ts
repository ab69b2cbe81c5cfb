/** VRRP as typed → its instances, every default filled in, and the addresses that each owns. */
import type { Nat, VirtualAddress, Vrrp, VrrpInstance } from '../../model.ts';
import { familyOf, wholeLength } from '../addresses.ts';
import { defined } from '../defined.ts';
import type { VrrpShape } from '../schema/vrrp.ts';
import { scriptNear } from './service.ts';

type InstanceShape = NonNullable<VrrpShape['instances']>[string];

/** What one instance is said to be, by its name; `vrrp` itself says the only one where there are no `instances`. */
export function saidInstances(
  said: VrrpShape,
): readonly (readonly [name: string, instance: Omit<InstanceShape, 'id'> & { readonly id?: number | undefined }])[] {
  const {
    instances,
    instance = 'VI_1',
    id,
    sync_groups: _,
    scripts: _scripts,
    notify: _notify,
    mail: _mail,
    alarm: _alarm,
    ...common
  } = said;
  if (!instances) return [[instance, { ...common, id }]];
  return Object.entries(instances).map(([name, own]) => [name, { ...common, ...defined(own) }]);
}

interface Around {
  /** Of all services and sites, each once, in order. */
  readonly vips: readonly string[];
  readonly nat: Nat | undefined;
  /** The inventory's path. */
  readonly file: string;
}

export function buildVrrp(said: VrrpShape, around: Around): Vrrp {
  const { file } = around;
  const scripts = Object.entries(said.scripts ?? {}).map(([name, script]) => ({ name, ...script, file: scriptNear(script.file, file) }));
  return defined({
    instances: saidInstances(said).map(([name, one], index) => buildInstance(name, one, index === 0, around)),
    syncGroups: Object.entries(said.sync_groups ?? {}).map(([name, instances]) => ({ name, instances })),
    scripts,
    notify: said.notify === undefined ? undefined : scriptNear(said.notify, file),
    mail: said.mail,
    alarm: said.alarm === undefined ? undefined : scriptNear(said.alarm, file),
  });
}

function buildInstance(
  name: string,
  said: ReturnType<typeof saidInstances>[number][1],
  first: boolean,
  { vips, nat }: Around,
): VrrpInstance {
  const family = familyOf(said.vips?.[0] ?? vips[0] ?? '');
  const vipInterface = said.vip_interface ?? said.interface ?? '';
  const own = said.vips ?? vips.filter((vip) => familyOf(vip) === family);
  const addresses = own.map((address): VirtualAddress => ({ address, prefix: wholeLength(address), interface: vipInterface }));
  // The gateway must be where the VIPs are, or replies go astray: it moves with the first instance.
  const gateway = first && nat ? [nat.gateway] : [];
  return defined({
    instance: name,
    id: said.id ?? 0,
    family,
    version: family === 'ipv6' || said.version === '3' ? (3 as const) : (2 as const),
    interface: said.interface ?? '',
    vipInterface,
    mode: said.mode ?? 'backup-nopreempt',
    preemptDelay: said.preempt_delay,
    advert: said.advert ?? 1,
    authPass: said.auth_pass,
    unicast: said.unicast ?? false,
    addresses: [...addresses, ...gateway],
    trackInterfaces: trackedInterfaces(said, vipInterface, nat, first),
    trackProcesses: said.track_processes ?? [],
    trackScripts: said.track_scripts ?? [],
  });
}

/** The heartbeat's interface is watched anyway; whatever carries an address must be too. */
function trackedInterfaces(
  said: Pick<InstanceShape, 'interface' | 'track_interfaces'>,
  vipInterface: string,
  nat: Nat | undefined,
  first: boolean,
): readonly string[] {
  const carrying = [vipInterface, ...(first && nat ? [nat.gateway.interface] : [])];
  return [...new Set([...carrying, ...(said.track_interfaces ?? [])])].filter((name) => name !== said.interface);
}
