/** Virtual servers as the model says them. */
import { z } from 'zod';
import { granularityForm, granularityWords } from '../../../inventory/addresses.ts';
import { address, distinct, port } from '../keepalived/values.ts';
import { text } from '../params.ts';
import { check } from './health-check-params.ts';

const threshold = z.int().min(0).max(4294967295);

const realServer = z.strictObject({
  host: text.describe('Name of the backend in the inventory'),
  rip: address.describe('Address of the real server (RIP)'),
  port: port.describe('Port of the real server'),
  weight: z.int().min(0).max(65535).describe('Share of the connections'),
  upperThreshold: threshold.optional().describe('Connections above which it gets no new ones'),
  lowerThreshold: threshold.optional().describe('Connections below which it gets some again'),
});

const mark = z.strictObject({
  mark: z.int().min(1).max(2147483647).describe('Firewall mark of the packets'),
  ports: z
    .array(z.strictObject({ port: port.describe('Port'), protocol: z.enum(['tcp', 'udp']).describe('Transport protocol') }))
    .min(1)
    .describe('What carries the mark'),
});

const fields = z.strictObject({
  vip: address.describe('Address that clients connect to'),
  port: port.describe('Port that clients connect to'),
  protocol: z.enum(['tcp', 'udp']).describe('Transport protocol'),
  fwmark: mark.optional().describe('One service over several ports: the virtual server is the mark'),
  scheduler: z
    .enum(['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'])
    .describe('IPVS scheduler'),
  schedulerFlags: z.array(z.enum(['sh-port', 'sh-fallback', 'mh-port', 'mh-fallback'])).describe('Flags of the schedulers sh and mh'),
  forward: z.enum(['dr', 'nat', 'tun']).describe('How packets reach the real servers'),
  persistence: z.int().min(1).max(2678400).optional().describe('Seconds that a client stays with its real server; absent: not at all'),
  persistenceGranularity: z.string().regex(granularityForm, granularityWords).optional().describe('Clients of one network stay together'),
  onePacket: z.boolean().describe('UDP: every packet is scheduled by itself'),
  quorum: z.int().min(1).max(1000000).describe('Weight of healthy real servers below which the sorry server answers'),
  hysteresis: z.int().min(0).max(1000000).optional().describe('Weight above the quorum before the real servers answer again'),
  check,
  realServers: z.array(realServer).min(1).describe('The real servers'),
  sorryServer: z
    .strictObject({ address: address.describe('Address of the page'), port: port.describe('Port of the page') })
    .optional()
    .describe('Serves the page that is shown when no real server is left'),
  redirect: port.optional().describe('Port on which the real servers answer for VIP and port: no business of the directors'),
});

export type ServiceParams = z.output<typeof fields>;

export const virtualServer = fields.superRefine((service, context) => {
  for (const [path, message] of silences(service)) context.addIssue({ code: 'custom', path: [path], message });
});

type Found = readonly [path: keyof ServiceParams, message: string] | false;

/** What keepalived would take and change in silence, or IPVS cannot do. */
function silences(service: ServiceParams): readonly (readonly [path: string, message: string])[] {
  const found: readonly Found[] = [...weightSilences(service), ...portSilences(service), ...formSilences(service)];
  return found.filter((each) => each !== false);
}

function weightSilences({ realServers, quorum, hysteresis = 0 }: ServiceParams): readonly Found[] {
  const weights = realServers.reduce((sum, { weight }) => sum + weight, 0);
  return [
    weights === 0 && ['realServers', 'every real server has weight 0: give at least one a weight of 1 or more'],
    weights > 0 && quorum > weights && ['quorum', `all real servers together weigh ${weights}: the quorum would be lowered to that`],
    hysteresis > 0 && hysteresis >= quorum && ['hysteresis', `less than the quorum of ${quorum}: it would be lowered`],
    weights >= quorum &&
      quorum + hysteresis > weights && [
        'hysteresis',
        `with the quorum of ${quorum} more than all real servers weigh (${weights}): once lost, it would never come back`,
      ],
    realServers.some(({ upperThreshold = 0, lowerThreshold = 0 }) => lowerThreshold > 0 && lowerThreshold >= upperThreshold) && [
      'realServers',
      'the lower threshold is below the upper one',
    ],
  ];
}

function portSilences({ fwmark, forward, realServers, sorryServer, port: own }: ServiceParams): readonly Found[] {
  const unchanged = forward !== 'nat' && !fwmark;
  return [
    unchanged &&
      realServers.some((server) => server.port !== own) && [
        'realServers',
        'with dr and tun packets arrive unchanged: every real server listens on the port of the VIP',
      ],
    unchanged &&
      (sorryServer?.port ?? own) !== own && [
        'sorryServer',
        'with dr and tun packets arrive unchanged: the sorry server listens on the port of the VIP',
      ],
    !distinct(realServers.map((server) => `${server.rip} ${server.port}`)) && ['realServers', 'a real server is listed twice'],
  ];
}

function formSilences(service: ServiceParams): readonly Found[] {
  const { vip, fwmark, protocol, onePacket, scheduler, schedulerFlags, persistence, persistenceGranularity: granularity } = service;
  const six = vip.includes(':');
  const alien = schedulerFlags.find((flag) => !flag.startsWith(`${scheduler}-`));
  const other = [...service.realServers.map(({ rip }) => rip), service.sorryServer?.address ?? vip].find(
    (each) => each.includes(':') !== six,
  );
  return [
    onePacket && protocol !== 'udp' && !fwmark && ['onePacket', 'only UDP is scheduled packet by packet'],
    onePacket && persistence !== undefined && ['onePacket', 'with persistence packets are not scheduled one by one'],
    alien !== undefined && ['schedulerFlags', `${alien} is no flag of the scheduler ${scheduler}`],
    granularity !== undefined && persistence === undefined && ['persistenceGranularity', 'without persistence nobody stays together'],
    granularity !== undefined &&
      granularity.includes('.') === six && ['persistenceGranularity', `${six ? 'a prefix length' : 'a netmask'} for this VIP`],
    other !== undefined && ['realServers', `${other} is of another family than ${vip}`],
  ];
}
