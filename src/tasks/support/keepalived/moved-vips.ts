/** VIPs that change their instance under a keepalived that runs. */
import { refuse } from '../../../task.ts';
import { shortAddress } from '../ipvs/kernel-table.ts';

/**
 * In one reload keepalived gives the VIP to the one instance and takes it from the other, in the order in which they stand there: it may
 * be gone afterwards, on a master that believes to have it. An instance that is new takes its VIPs only when it becomes master.
 */
export function refuseMoved(now: string, wanted: string): void {
  const owners = ownersIn(now);
  const running = new Set(instancesIn(now).map(({ name }) => name));
  const moved = [...ownersIn(wanted)].find(([vip, owner]) => running.has(owner) && (owners.get(vip) ?? owner) !== owner);
  if (!moved) return;
  const [vip, owner] = moved;
  throw refuse(
    `${vip} moves from ${owners.get(vip)} to ${owner}, for which the keepalived that runs needs two reloads`,
    'deploy once without it, then again with it; or stop keepalived on all directors first',
  );
}

/** Address → the instance that has it, excluded from adverts or not. */
function ownersIn(config: string): ReadonlyMap<string, string> {
  const all = instancesIn(config).flatMap(({ name, text }) =>
    [...text.matchAll(/^[ \t]*virtual_ipaddress(?:_excluded)?[ \t]*\{([^}]*)\}/gm)].flatMap(([, lines = '']) =>
      [...lines.matchAll(/^[ \t]*([0-9A-Fa-f.:]+)/gm)].map(([, address = '']) => [shortAddress(address), name] as const),
    ),
  );
  return new Map(all);
}

/** Each with all that stands up to the next one. */
function instancesIn(config: string): readonly { readonly name: string; readonly text: string }[] {
  const [, ...parts] = config.split(/^[ \t]*vrrp_instance[ \t]+/m);
  return parts.map((text) => ({ name: /^[^\s{]*/.exec(text)?.[0] ?? '', text }));
}
