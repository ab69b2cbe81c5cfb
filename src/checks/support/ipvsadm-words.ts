/** A virtual server in words, and as ipvsadm takes it. */
import type { VirtualServer } from '../../model.ts';
import { ipvsadmPlace } from './topology.ts';

/** What can be said of a virtual server, wanted or seen. */
export type ToldService = { readonly scheduler: string } & Pick<
  VirtualServer,
  'schedulerFlags' | 'onePacket' | 'persistence' | 'persistenceGranularity'
>;

/** `rr, persistent 50 s`, `sh (sh-port), not persistent, each packet by itself`. */
export function serviceWords({ scheduler, schedulerFlags, persistence, persistenceGranularity, onePacket }: ToldService): string {
  const flags = schedulerFlags.length > 0 ? ` (${schedulerFlags.toSorted().join(', ')})` : '';
  const single = ['255.255.255.255', '128', undefined].includes(persistenceGranularity);
  const held =
    persistence === undefined ? 'not persistent' : `persistent ${persistence} s${single ? '' : ` per ${persistenceGranularity}`}`;
  return `${scheduler}${flags}, ${held}${onePacket ? ', each packet by itself' : ''}`;
}

export function addWords(service: VirtualServer): string {
  return `ipvsadm -A ${ipvsadmPlace(service)} ${options(service)}`;
}

export function editWords(service: VirtualServer): string {
  return `ipvsadm -E ${ipvsadmPlace(service)} ${options(service)}`;
}

function options({ scheduler, schedulerFlags, persistence, persistenceGranularity, onePacket }: ToldService): string {
  return [
    `-s ${scheduler}`,
    ...(schedulerFlags.length > 0 ? [`-b ${schedulerFlags.join(',')}`] : []),
    ...(persistence === undefined ? [] : [`-p ${persistence}`]),
    ...(persistenceGranularity === undefined ? [] : [`-M ${persistenceGranularity}`]),
    ...(onePacket ? ['-o'] : []),
  ].join(' ');
}
