/** VRRP as the model says it: instances, groups, scripts, mail. */
import { z } from 'zod';
import { address, argument, distinct, label, nic, scriptFile } from './values.ts';

/** A secret slot, or at most 8 characters, which is all that VRRP carries; a quote or backslash cannot be written in keepalived.conf. */
const password = z
  .string()
  .regex(
    /^(\uE000secret [\w.-]+\uE001|[!#-[\]-~]{1,8})$/,
    'a secret, or 1 to 8 printable characters without blanks, quotes and backslashes',
  );

const virtualAddress = z
  .strictObject({
    address: address.describe('An address that moves from director to director'),
    prefix: z.int().min(1).max(128).describe('Its prefix length'),
    interface: nic.describe('Interface that carries it'),
  })
  .refine((each) => each.address.includes(':') || each.prefix <= 32, { error: 'a prefix of at most 32', path: ['prefix'] });

const instance = z
  .strictObject({
    instance: label.describe('Name of the VRRP instance'),
    id: z.int().min(1).max(255).describe('virtual_router_id, unique on the network segment'),
    family: z.enum(['ipv4', 'ipv6']).describe('Family of its addresses'),
    version: z.union([z.literal(2), z.literal(3)]).describe('Version of VRRP; IPv6 has 3 alone'),
    interface: nic.describe('Interface that carries the adverts'),
    vipInterface: nic.describe('Interface that carries the VIPs'),
    mode: z
      .enum(['backup-nopreempt', 'master-backup'])
      .describe('Whether the director of higher priority takes the VIPs back when it returns'),
    preemptDelay: z.int().min(0).max(1000).optional().describe('Seconds that a returning director waits before it takes the VIPs back'),
    advert: z.number().min(0.01).max(255).describe('Seconds between adverts, whole ones in VRRP version 2'),
    authPass: password.optional().describe('Password of the adverts; it travels in clear'),
    unicast: z.boolean().describe('Adverts go to the other directors one by one'),
    addresses: z.array(virtualAddress).min(1).describe('What moves: the first is named in the adverts'),
    trackInterfaces: z.array(nic).describe('Interfaces whose loss is a fault, beside `interface`'),
    trackProcesses: z.array(label).describe('Processes whose end is a fault'),
    trackScripts: z.array(label).describe('Scripts whose failure is a fault'),
  })
  .superRefine((each, context) => {
    for (const [path, message] of silences(each)) context.addIssue({ code: 'custom', path: [path], message });
  });

type Instance = z.output<typeof instance>;

/** What keepalived would take and change in silence. */
function silences(each: Instance): readonly (readonly [path: string, message: string])[] {
  const { version, family, advert, authPass, mode, preemptDelay, addresses } = each;
  const six = (text: string) => text.includes(':');
  return [
    version === 2 && family === 'ipv6' && (['version', 'IPv6 has VRRP version 3 alone'] as const),
    version === 2 && !Number.isInteger(advert) && (['advert', 'whole seconds, or version 3: version 2 would round it'] as const),
    version === 3 && advert > 40 && (['advert', 'at most 40 seconds in version 3'] as const),
    version === 3 &&
      !Number.isInteger(Number((advert * 100).toFixed(6))) &&
      (['advert', 'hundredths of a second: it would be rounded'] as const),
    version === 3 && authPass !== undefined && (['authPass', 'version 3 has no password: it would be ignored'] as const),
    mode === 'backup-nopreempt' &&
      preemptDelay !== undefined &&
      (['preemptDelay', 'it never takes the VIPs back: the delay would be ignored'] as const),
    addresses.some(({ address: one }) => six(one) !== (family === 'ipv6')) && (['addresses', `not all of them are ${family}`] as const),
  ].filter((found) => found !== false);
}

const wholeSeconds = z.int().min(1).max(3600);

const trackScript = z.strictObject({
  name: label.describe('Name by which instances track it'),
  file: scriptFile.describe('Path on the control machine'),
  arguments: z.array(argument).describe('Its arguments'),
  interval: wholeSeconds.describe('Seconds between two runs'),
  timeout: wholeSeconds.describe('Seconds after which it has failed'),
  rise: z.int().min(1).max(100).describe('Successes in a row before it counts as right'),
  fall: z.int().min(1).max(100).describe('Failures in a row before it counts as failed'),
});

const mailAddress = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$/, 'a mail address');

const mail = z.strictObject({
  to: z.array(mailAddress).min(1).describe('Who is told'),
  from: mailAddress.describe('Sender'),
  server: z
    .string()
    .regex(/^(\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+?)(:[0-9]{1,5})?$/, 'an address, with a port if need be')
    .describe('Mail server, as ADDRESS or ADDRESS:PORT'),
  timeout: z.int().min(1).max(600).describe('Seconds to wait for the server'),
});

export const vrrp = z
  .strictObject({
    instances: z.array(instance).min(1).describe('The VRRP instances'),
    syncGroups: z
      .array(
        z.strictObject({
          name: label.describe('Name of the group'),
          instances: z.array(label).min(2).describe('Instances that change hands together'),
        }),
      )
      .describe('Groups of instances that change hands together'),
    scripts: z.array(trackScript).describe('Commands that keepalived repeats'),
    notify: scriptFile.optional().describe('Script that is called on every change of state'),
    mail: mail.optional().describe('Mail on every change of state'),
    alarm: scriptFile.optional().describe('Script that runs on a director that becomes master while another host answers for a VIP'),
  })
  .refine(({ instances }) => distinct(instances.map((each) => each.instance)), {
    error: 'an instance is listed twice',
    path: ['instances'],
  })
  .refine(({ instances }) => distinct(instances.map(({ interface: on, family, id }) => `${on} ${family} ${id}`)), {
    error: 'two instances have one virtual_router_id on one interface',
    path: ['instances'],
  })
  .refine(({ instances }) => distinct(instances.flatMap(({ addresses }) => addresses.map((each) => each.address))), {
    error: 'an address belongs to two instances',
    path: ['instances'],
  })
  .refine(
    ({ instances, scripts }) => instances.every((each) => each.trackScripts.every((name) => scripts.some((one) => one.name === name))),
    {
      error: 'an instance tracks a script that is not there',
      path: ['scripts'],
    },
  )
  .refine(
    ({ instances, syncGroups }) =>
      syncGroups.every((group) => group.instances.every((name) => instances.some((each) => each.instance === name))),
    { error: 'a group has an instance that is not there', path: ['syncGroups'] },
  )
  .refine(({ syncGroups }) => distinct(syncGroups.flatMap((group) => group.instances)), {
    error: 'an instance is in two groups, or twice in one',
    path: ['syncGroups'],
  })
  .describe('Who owns the VIPs');

export type VrrpParams = z.output<typeof vrrp>;
export type InstanceParams = VrrpParams['instances'][number];
