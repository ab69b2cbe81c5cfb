/** VRRP as keepalived writes it. */
import { block, type Part, quoted } from './blocks.ts';
import type { KeepalivedWant } from './params.ts';
import { alarmPath, scriptPath } from './scripts.ts';
import { saidOf } from './values.ts';
import type { InstanceParams, VrrpParams } from './vrrp-params.ts';

/** Scripts, processes, groups and instances, in the order in which keepalived wants to know them. */
export function vrrpBlocks({ vrrp, priorities, unicast = {} }: KeepalivedWant): readonly Part[] {
  const used = vrrp.scripts.filter(({ name }) => vrrp.instances.some(({ trackScripts }) => trackScripts.includes(name)));
  return [
    ...used.map(trackScript),
    ...[...new Set(vrrp.instances.flatMap(({ trackProcesses }) => trackProcesses))].map((name) =>
      block(`vrrp_track_process ${name}`, [`process ${name}`, 'weight 0']),
    ),
    ...vrrp.syncGroups.map(({ name, instances }) => block(`vrrp_sync_group ${name}`, [block('group', instances)])),
    ...vrrp.instances.map((each) => instanceBlock(each, vrrp, saidOf(priorities, each.instance) ?? 0, saidOf(unicast, each.instance))),
  ];
}

/** Weight 0: the failure is a fault. Any other would be added to the priority, which nopreempt and groups do not bear. */
function trackScript({ name, file, arguments: words, interval, timeout, rise, fall }: VrrpParams['scripts'][number]): Part {
  return block(`vrrp_script ${name}`, [
    `script ${quoted([scriptPath(file), ...words].join(' '))}`,
    `interval ${interval}`,
    `timeout ${timeout}`,
    `rise ${rise}`,
    `fall ${fall}`,
    'weight 0',
  ]);
}

type Unicast = NonNullable<KeepalivedWant['unicast']>[string];

function instanceBlock(each: InstanceParams, { notify, alarm }: VrrpParams, priority: number, unicast: Unicast | undefined): Part {
  const [anchor, ...excluded] = each.addresses.map(({ address, prefix, interface: nic }) => `${address}/${prefix} dev ${nic}`);
  const { address, interface: nic } = each.addresses[0] ?? { address: '', interface: '' };
  return block(`vrrp_instance ${each.instance}`, [
    'state BACKUP',
    `interface ${each.interface}`,
    each.version === 3 && 'version 3',
    `virtual_router_id ${each.id}`,
    `priority ${priority}`,
    each.mode === 'backup-nopreempt' && 'nopreempt',
    each.preemptDelay !== undefined && `preempt_delay ${each.preemptDelay}`,
    `advert_int ${each.advert}`,
    each.authPass !== undefined && block('authentication', ['auth_type PASS', `auth_pass ${password(each.authPass)}`]),
    ...(each.unicast && unicast ? [`unicast_src_ip ${unicast.own}`, block('unicast_peer', unicast.peers)] : []),
    list('track_interface', each.trackInterfaces),
    list('track_process', each.trackProcesses),
    list('track_script', each.trackScripts),
    list('virtual_ipaddress', anchor === undefined ? [] : [anchor]),
    list('virtual_ipaddress_excluded', excluded),
    notify !== undefined && `notify ${quoted(scriptPath(notify))}`,
    alarm !== undefined && `notify_master ${quoted([alarmPath, each.instance, address, nic].join(' '))}`,
  ]);
}

function list(head: string, words: readonly string[]): Part {
  return words.length > 0 && block(head, words);
}

function password(text: string): string {
  return /^[A-Za-z0-9]+$/.test(text) ? text : `"${text}"`;
}

/** What directors must agree on, or there are two masters: how adverts travel and what they carry, the VIPs that they name included. */
export function sharedPart(config: string): string {
  const lines = /^[ \t]*(?:virtual_router_id|version|advert_int|auth_type|auth_pass|unicast_src_ip)[ \t].*$/;
  const blocks = /^[ \t]*(?:virtual_ipaddress|unicast_peer)[ \t]*\{[^}]*\}/;
  const words = config.match(new RegExp(`${lines.source}|${blocks.source}`, 'gm')) ?? [];
  return words.map((word) => word.split(/\s+/).filter(Boolean).join(' ')).join('\n');
}
