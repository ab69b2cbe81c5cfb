/**
 * The end of the tunnel on a real server behind IPVS with forwarding "tun": the kernel's catch-all device, which takes packets of
 * whichever director. The VIP goes on it with `loopback_vip`.
 */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, sh } from '../task.ts';
import {
  type BootUnit,
  bootUnitChanges,
  bootUnitPath,
  bootUnitProbe,
  parseBootUnit,
  type SeenBootUnit,
} from './support/systemd/boot-unit.ts';

/** Device → module that makes it, and what arrives there. */
const devices = {
  tunl0: { module: 'ipip', carries: 'IPv4 in IPv4' },
  ip6tnl0: { module: 'ip6_tunnel', carries: 'IPv6 in IPv6' },
} as const;

const params = z.strictObject({
  device: z
    .array(z.enum(['tunl0', 'ip6tnl0']))
    .min(1)
    .default(['tunl0'])
    .describe('`tunl0` for real servers with IPv4 addresses (module ipip), `ip6tnl0` for IPv6 (module ip6_tunnel), or both.'),
});

type Want = z.infer<typeof params>;
type Device = Want['device'][number];

interface Seen {
  readonly unit: SeenBootUnit;
  /** Devices that are there, and whether they are up. */
  readonly up: ReadonlyMap<string, boolean>;
}

const name = 'lvsctl-tunnel.service';

export default defineTask<Want, Seen>({
  summary: 'The device on which a real server gets packets through the tunnel of IPVS, now and at every boot.',
  params,
  touches: ({ device }) => [
    ...device.flatMap((each) => [`module:${devices[each].module}`, `interface:${each}`]),
    `file:${bootUnitPath(name)}`,
    `service:${name}`,
  ],
  probe: ({ device }) =>
    lines(
      bootUnitProbe(name),
      // Such a device has no carrier to tell of: up is a bit of its flags.
      ...device.map(
        (each) =>
          sh`[ ! -r ${`/sys/class/net/${each}/flags`} ] || printf 'device %s %s\n' ${each} "$(cat ${`/sys/class/net/${each}/flags`})"`,
      ),
    ),
  parse({ stdout }: Output): Seen {
    const unit = parseBootUnit(stdout, name);
    const said = [...unit.rest.matchAll(/^device (\S+) 0x([0-9a-f]+)$/gm)];
    return { unit, up: new Map(said.map(([, device = '', flags = '']) => [device, (Number.parseInt(flags, 16) & 1) === 1])) };
  },
  plan: (seen, { device }, context: PlanContext) => [
    ...device.filter((each) => !seen.up.get(each)).map((each) => upChange(each, seen.up.has(each))),
    ...bootUnitChanges(seen.unit, unitOf(device), context),
  ],
  settled: ({ device }) =>
    device
      .map((each) => `${each} takes ${devices[each].carries}`)
      .join(' and ')
      .concat(', now and after a reboot'),
  example: { device: ['tunl0'] },
});

function upChange(device: Device, there: boolean): Change {
  const { module } = devices[device];
  return {
    id: `live:${device}`,
    title: there ? `bring ${device} up` : `load ${module}, which makes ${device}, and bring it up`,
    was: there ? `${device} down\n` : '',
    will: `${device} up\n`,
    run: sh`{ [ -e ${`/sys/class/net/${device}`} ] || modprobe -- ${module}; } && ip link set dev ${device} up`,
  };
}

/** Before the VIPs. A module that others use, too, stays when it is stopped. */
function unitOf(wanted: readonly Device[]): BootUnit {
  return {
    name,
    description: `Tunnel of the LVS cluster (${wanted.join(', ')})`,
    after: ['systemd-modules-load.service', 'network-pre.target'],
    before: ['lvsctl-loopback-vip.service', 'network.target'],
    start: wanted.flatMap((each) => [`/sbin/modprobe ${devices[each].module}`, `/sbin/ip link set dev ${each} up`]),
    stop: wanted.flatMap((each) => [`-/sbin/ip link set dev ${each} down`, `-/sbin/modprobe -r ${devices[each].module}`]),
  };
}
