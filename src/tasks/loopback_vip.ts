/**
 * The VIP on a real server (DR and TUN): on lo, /32 or /128, now and after a reboot whatever manages the network. ARP must be quiet first:
 * with arp_ignore 0 the host would answer for the VIP on its NICs and take the whole cluster's traffic.
 */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, refuse, sh } from '../task.ts';
import {
  addressOnly,
  parseAddresses,
  plainAddress,
  type SeenAddress,
  takeAway,
  wholePrefix,
} from './support/addresses/loopback-address.ts';
import { addressesOfUnit, loopbackUnit, unitNameOf, unitPathOf } from './support/addresses/loopback-unit.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { bootUnitGone } from './support/systemd/boot-unit.ts';

const params = z.strictObject({
  addresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .refine((addresses) => new Set(addresses.map(plainAddress)).size === addresses.length, 'each address once')
    .describe('Virtual addresses, without a mask: it is always /32, or /128 for IPv6; none: those of ours on the device are taken away.'),
  device: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/, 'an interface name')
    .default('lo')
    .describe('Interface that holds them: lo, or the end of a tunnel (tunl0, ip6tnl0).'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly unit: SeenFile;
  readonly enabled: boolean;
  /** The device exists. */
  readonly device: boolean;
  /** Of every interface. */
  readonly addresses: readonly SeenAddress[];
}

export default defineTask({
  summary: 'Puts VIPs on the loopback of a real server, /32 or /128, now and at every boot.',
  params,
  touches: ({ addresses, device }: Want) => [
    ...addresses.map((address) => `address:${placeOf(address)}@${device}`),
    `file:${unitPathOf(device)}`,
    `service:${unitNameOf(device)}`,
  ],
  needs: ({ device }: Want) => ['sysctl:net.ipv4.conf.all.arp_ignore', ...(device === 'lo' ? [] : [`interface:${device}`])],
  probe: ({ device }: Want) =>
    lines(
      filesProbe([unitPathOf(device)]),
      sh`[ ! -L ${`/etc/systemd/system/multi-user.target.wants/${unitNameOf(device)}`} ] || printf 'enabled\n'
[ ! -e ${`/sys/class/net/${device}`} ] || printf 'device\n'
ip -o addr show`,
    ),
  parse(output: Output, { device }: Want): Seen {
    const { files, rest } = parseFiles(output, [unitPathOf(device)]);
    const said = rest.split('\n');
    const [unit] = files as readonly [SeenFile];
    return { unit, enabled: said.includes('enabled'), device: said.includes('device'), addresses: parseAddresses(said) };
  },
  plan(seen: Seen, want: Want, context: PlanContext): readonly Change[] {
    if (want.addresses.length === 0) return noneWanted(seen, want);
    // Modules make these, and a step before this one may load them: then it is the change that fails where none does.
    if (!seen.device && !madeByModule.test(want.device)) throw refuse(`there is no interface ${want.device}`, 'lo is always there');
    if (context.facts.init !== 'systemd') throw refuse('the address survives a reboot by a systemd unit, and this host has no systemd');
    const stale = addressesOfUnit(seen.unit.content ?? '').filter((old) => !isWanted(old, want) && isLive(old, seen));
    const live = want.addresses.map(plainAddress).flatMap((address) => addressOnly(address, want.device, seen.addresses));
    // The old unit is what tells that an address is stale: it stays until the address is gone.
    const last = stale.length > 0 && { takesAway: true };
    return [...live, ...[...stale.map(takeAway), ...unitChanges(seen, want, context)].map((change) => ({ ...change, ...last }))];
  },
  settled: ({ addresses, device }: Want) =>
    addresses.length === 0 ? `no VIP of ours on ${device}` : `${addresses.map(placeOf).join(', ')} on ${device}, now and after a reboot`,
  example: { addresses: ['10.18.43.30'], device: 'lo' },
});

/** The unit tells which addresses are ours: it goes last. */
function noneWanted(seen: Seen, { device }: Want): readonly Change[] {
  const old = addressesOfUnit(seen.unit.content ?? '').filter((each) => isLive(each, seen));
  return [...old.map((each) => ({ ...takeAway(each), takesAway: true })), ...bootUnitGone({ file: seen.unit }, unitNameOf(device))];
}

const madeByModule = /^(tunl0|ip6tnl0)$/;

function placeOf(address: string): string {
  return `${plainAddress(address)}/${wholePrefix(address)}`;
}

type Place = Pick<SeenAddress, 'address' | 'device'>;

function isWanted(old: Place, { addresses, device }: Want): boolean {
  return old.device === device && addresses.map(plainAddress).includes(old.address);
}

function isLive(old: Place, { addresses }: Seen): boolean {
  return addresses.some(
    ({ address, device, prefix }) => address === old.address && device === old.device && prefix === wholePrefix(address),
  );
}

function unitChanges(seen: Seen, { addresses, device }: Want, context: PlanContext): readonly Change[] {
  const reload = sh`{ [ ! -d /run/systemd/system ] || systemctl daemon-reload; }`;
  const name = unitNameOf(device);
  const written = fileChange({
    seen: seen.unit,
    path: unitPathOf(device),
    content: loopbackUnit(addresses.map(plainAddress), device),
    context,
  });
  const enable: Change = {
    id: `persisted:${name}`,
    title: `add the VIPs at every boot (enable ${name})`,
    was: 'disabled\n',
    will: 'enabled\n',
    run: sh`systemctl enable -- ${name}`,
  };
  return [...written.map((change) => ({ ...change, run: sh`${change.run} && ${reload}` })), ...(seen.enabled ? [] : [enable])];
}
