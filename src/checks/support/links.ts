/** Whether interfaces carry packets, as the kernel says it. */
import { lines, type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface Link {
  readonly nic: string;
  /** `operstate`: `up`, `unknown` (of drivers that do not tell), `down`, `lowerlayerdown`, …; `absent` where there is no such interface. */
  readonly state: string;
  /** Switched on, so that what is down is what it hangs on; absent: not told. */
  readonly on?: boolean;
}

export function linkProbe(nics: readonly string[]): Sh {
  return lines(
    ...nics.map(
      (nic) => sh`link=absent flags=''
[ ! -r ${`/sys/class/net/${nic}/operstate`} ] || read -r link <${`/sys/class/net/${nic}/operstate`}
[ ! -r ${`/sys/class/net/${nic}/flags`} ] || read -r flags <${`/sys/class/net/${nic}/flags`}
printf 'link %s %s %s\n' ${nic} "$link" "$flags"`,
    ),
  );
}

export function linksOf(said: Said): readonly Link[] {
  return said.all('link').flatMap((line) => {
    const [nic = '', state = '', flags = ''] = line.split(' ');
    if (state === '') return [];
    return [{ nic, state, ...(/^0x[0-9a-f]+$/.test(flags) && { on: (Number(flags) & 1) === 1 }) }];
  });
}

/** What is wrong with it and what mends that; `undefined`: it carries, as far as its driver tells. */
export function linkTrouble({ nic, state, on }: Link, host: string): { readonly found: string; readonly fix: string } | undefined {
  if (state === 'up' || state === 'unknown') return undefined;
  if (state === 'absent')
    return { found: `there is no interface ${nic}`, fix: `name the right one in the inventory, or have ${nic} made at boot on ${host}` };
  const below = `see its cable, its switch port, or what it hangs on: ip -d link show ${nic} on ${host}`;
  if (state !== 'down') return { found: `${nic} is ${state}`, fix: below };
  if (on === true) return { found: `${nic} has no carrier`, fix: below };
  return { found: `${nic} is down`, fix: `ip link set ${nic} up on ${host}` };
}
