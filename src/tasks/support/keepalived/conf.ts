/** keepalived.conf of a director. */

import { ownHead } from '../files/ownership.ts';
import { block, type Part, renderParts } from './blocks.ts';
import { knows } from './keywords.ts';
import type { KeepalivedWant } from './params.ts';
import { reloadFile } from './process.ts';
import { shippedScripts } from './scripts.ts';
import { virtualServerBlock } from './services.ts';
import { vrrpBlocks } from './vrrp.ts';
import type { VrrpParams } from './vrrp-params.ts';

/** The whole file, for keepalived `version`. Deterministic; may hold secret slots as passwords. */
export function keepalivedConf(want: KeepalivedWant, version: string): string {
  const parts = [block('global_defs', globals(want, version)), ...vrrpBlocks(want), ...want.services.map(virtualServerBlock)];
  const text = renderParts(parts, /^(?:vrrp_|virtual_server|real_server)/);
  return `${[ownHead, ...text].join('\n')}\n`;
}

function globals(want: KeepalivedWant, version: string): readonly Part[] {
  const { instances, mail } = want.vrrp;
  const [first] = instances;
  const scripts = shippedScripts(want).length > 0;
  return [
    `router_id ${want.router_id}`,
    ...(mail ? mailLines(mail) : []),
    scripts && 'enable_script_security',
    scripts && 'script_user root',
    knows(version, 'reload_file') && `reload_file ${reloadFile}`,
    'vrrp_garp_master_refresh 60',
    // Otherwise the MAC of a second interface ages out of the switches.
    knows(version, 'vrrp_garp_extra_if') &&
      instances.some(({ interface: nic, addresses }) => addresses.some((each) => each.interface !== nic)) &&
      'vrrp_garp_extra_if all 100',
    // Without it clients were lost for seconds after a partition healed.
    'vrrp_higher_prio_send_advert true',
    want.sync === true && first && `lvs_sync_daemon ${first.interface} ${first.instance} id ${first.id}`,
  ];
}

function mailLines({ to, from, server, timeout }: NonNullable<VrrpParams['mail']>): readonly Part[] {
  const [, bracketed, plain, port = '25'] = /^(?:\[(.*)\]|([^:]*|.*:.*:.*))(?::([0-9]+))?$/.exec(server) ?? [];
  return [
    block('notification_email', to),
    `notification_email_from ${from}`,
    `smtp_server ${bracketed ?? plain} ${port}`,
    `smtp_connect_timeout ${timeout}`,
    'smtp_alert true',
  ];
}
