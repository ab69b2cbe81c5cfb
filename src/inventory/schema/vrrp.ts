/** VRRP as the user types it. Text that goes into keepalived.conf is narrow: nothing can be quoted there. */
import { z } from 'zod';
import { line, oneOf, seconds, socketAddress, text, vip, whole } from './fields.ts';
import { instanceName, interfaceName } from './host.ts';

/** What VRRP carries and keepalived.conf can hold. */
const password = '[A-Za-z0-9_.:@%+=,/^*-]{1,8}';
const passwordWords = '1 to 8 letters, digits and signs of _.:@%+=,/^*-';
export const passwordRule = { pattern: new RegExp(`^${password}$`), words: passwordWords };

/** Names that keepalived.conf holds: instances, sync groups, scripts, processes. */
const word = text(/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/, 'a name of at most 31 letters, digits, "_", "." and "-"');
export const argumentWord = text(/^[A-Za-z0-9_.,:=/@%+{}-]+$/, 'a word of letters, digits and signs of _.,:=/@%+{}-');

/** What may be said for all instances, and for one. */
const shared = {
  interface: interfaceName.optional().describe('Interface that carries the heartbeat'),
  vip_interface: interfaceName.optional().describe('Interface that carries the VIPs; `interface` unless said'),
  mode: oneOf(['backup-nopreempt', 'master-backup'])
    .optional()
    .describe('backup-nopreempt (the default): who has the VIPs keeps them; master-backup: the highest priority takes them back'),
  preempt_delay: whole(0, 1000).optional().describe('master-backup: seconds that a returning master waits before it takes the VIPs back'),
  version: oneOf(['2', '3']).optional().describe('"2" unless said; "3" has fractions of a second and no password, and is what IPv6 has'),
  advert: seconds(0.1, 255).optional().describe('Seconds between adverts; 1 unless said, whole ones in version 2'),
  auth_pass: text(new RegExp(`^(?:${password}|\uE000.*\uE001)$`), `${passwordWords} in quotes, or !secret NAME`)
    .optional()
    .describe('Password of the adverts, or `!secret NAME`; unless said, none'),
  unicast: z
    .boolean({ error: 'true or false' })
    .optional()
    .describe('Adverts go to the other directors one by one: for networks without multicast'),
  track_interfaces: z.array(interfaceName).optional().describe('Further interfaces whose loss gives the VIPs away'),
  track_processes: z.array(word).optional().describe('Processes whose end gives the VIPs away'),
  track_scripts: z.array(word).optional().describe('Names under `scripts` whose failure gives the VIPs away'),
};

const instance = z.strictObject({
  ...shared,
  id: whole(1, 255).describe('virtual_router_id, unique on the segment; written once, never computed'),
  vips: z.array(vip()).min(1, { error: 'at least one VIP' }).optional().describe('VIPs of this instance; unless said, all of its family'),
});

const script = z.strictObject({
  file: line('the path of a script').describe('Path in the folder of the inventory, relative to it; it is shipped to the directors'),
  arguments: z.array(argumentWord).default([]).describe('Its arguments'),
  interval: whole(1, 3600).default(5).describe('Seconds between two runs'),
  timeout: whole(1, 3600).default(5).describe('Seconds after which it has failed'),
  rise: whole(1, 100).default(1).describe('Successes in a row before it counts as right'),
  fall: whole(1, 100).default(2).describe('Failures in a row before it counts as failed'),
});

const mailAddress = text(/^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$/, 'a mail address');

const mail = z.strictObject({
  to: z.array(mailAddress).min(1, { error: 'at least one mail address' }).describe('Who is told'),
  from: mailAddress.describe('Sender'),
  server: socketAddress().describe('Mail server, as ADDRESS:PORT'),
  timeout: whole(1, 600).default(30).describe('Seconds to wait for the server'),
});

export const vrrp = z.strictObject({
  id: whole(1, 255).optional().describe('virtual_router_id, unique on the segment; written once, never computed'),
  ...shared,
  instance: instanceName.optional().describe('Name of the instance in keepalived.conf; VI_1 unless said'),
  instances: z
    .record(instanceName, instance)
    .optional()
    .describe('Several instances by their names, instead of `id`; what stands beside it counts for each that does not say otherwise'),
  sync_groups: z
    .record(instanceName, z.array(instanceName).min(2, { error: 'at least two instances' }))
    .optional()
    .describe('Instances that change hands together'),
  scripts: z.record(word, script).optional().describe('Commands that keepalived repeats, for `track_scripts`'),
  notify: line('the path of a script').optional().describe('Script on this machine that keepalived calls on every change of state'),
  mail: mail.optional().describe('Mail on every change of state'),
  alarm: line('the path of a script')
    .optional()
    .describe('Script on this machine that runs on a director that becomes master while another host answers for the VIP; IPv4 alone'),
});

export type VrrpShape = z.output<typeof vrrp>;
