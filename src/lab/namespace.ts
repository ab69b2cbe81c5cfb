import { statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../machine/run.ts';
import { isIpv6, type Layout } from './layout.ts';
import { namespaceOf } from './places.ts';

/** Makes the lab's namespace with its bridges and taps. Nothing connects it to the machine's own networks. */
export async function makeNamespace(layout: Layout, signal?: AbortSignal): Promise<void> {
  const namespace = namespaceOf(layout.name);
  await run('ip', ['netns', 'add', namespace], { signal });
  await run('ip', ['-netns', namespace, '-batch', '-'], { input: networkCommands(layout), signal });
  await run('ip', ['netns', 'exec', namespace, 'sh', '-eu'], { input: offloadCommands(layout) + routingCommands(layout), signal });
}

/** Removes the namespace, and with it bridges and taps; nothing happens when there is none. */
export async function removeNamespace(name: string): Promise<void> {
  if (namespaceInode(name) !== undefined) await run('ip', ['netns', 'delete', namespaceOf(name)]);
}

/** What /proc/PID/ns/net of every process in the lab's namespace says; undefined when there is none. */
export function namespaceInode(name: string): number | undefined {
  return statSync(join('/run/netns', namespaceOf(name)), { throwIfNoEntry: false })?.ino;
}

/** For `ip -batch`. Adverts are multicast: a snooping bridge without a querier would lose them. */
export function networkCommands(layout: Layout): string {
  const bridges = layout.segments.flatMap((segment) => [
    `link add ${segment.bridge} type bridge mcast_snooping 0 forward_delay 0 stp_state 0`,
    ...segment.subnets.map(
      ({ gateway, length }) => `address add ${gateway}/${length} dev ${segment.bridge}${isIpv6(gateway) ? ' nodad' : ''}`,
    ),
    `link set ${segment.bridge} up`,
  ]);
  const taps = taggedTaps(layout).flatMap(({ tap, bridge }) => [
    `tuntap add dev ${tap} mode tap`,
    `link set ${tap} master ${bridge}`,
    `link set ${tap} up`,
  ]);
  const vips = layout.routedVips.map(({ address, bridge }) => `route add ${address} dev ${bridge}`);
  return `${['link set lo up', ...bridges, ...taps, ...vips].join('\n')}\n`;
}

/** Segments bigger than a frame make UML's receiver give up for good, so nothing may build them. */
function offloadCommands(layout: Layout): string {
  const bridges = layout.segments.map(({ bridge }) => `ethtool -K ${bridge} tx off tso off gso off gro off`);
  const taps = taggedTaps(layout).map(({ tap }) => `ethtool -K ${tap} tso off gso off gro off`);
  return `${[...bridges, ...taps].join('\n')}\n`;
}

/** Said in either case: a namespace may inherit what the machine has. Replies of real servers come from another side than a VIP's route. */
function routingCommands({ routes }: Layout): string {
  const way = routes ? 1 : 0;
  return `echo ${way} >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/ipv6 ] || echo ${way} >/proc/sys/net/ipv6/conf/all/forwarding
for file in /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$file"; done
`;
}

function taggedTaps(layout: Layout): readonly { readonly tap: string; readonly bridge: string }[] {
  return layout.hosts.flatMap((host) => host.nics);
}
