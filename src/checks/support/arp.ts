/** The two sysctls that keep an address on lo from being answered for, as the kernel combines them and as the files leave them. */

import { type Sh, sh } from '../../task.ts';
import { persistedLines } from '../../tasks/support/sysctl/files.ts';
import type { SysctlFile } from '../../tasks/support/sysctl/merge.ts';
import type { Said } from './said.ts';

export type ArpKey = 'arp_ignore' | 'arp_announce';

export interface ArpValue {
  /** The larger of `all` and the interface's own: what the kernel goes by. */
  readonly effective: number;
  /** Where it comes from, when that is worth a word; otherwise empty. */
  readonly because: string;
}

export type ArpNic = { readonly name: string } & Readonly<Record<ArpKey, ArpValue>>;

const conf = '/proc/sys/net/ipv4/conf/';

/** One process; the shell's own `read` gets only the first digit of a number in /proc/sys. Read it with `arpNics`. */
export const arpProbe: Sh = sh`grep -sH '' /proc/sys/net/ipv4/conf/*/arp_ignore /proc/sys/net/ipv4/conf/*/arp_announce /sys/class/net/*/type /sys/class/net/*/flags |
while IFS= read -r line; do printf 'value %s\n' "$line"; done`;

/** Interfaces that answer ARP at all: Ethernet, without NOARP, and not lo. Empty when something was missing. */
export function arpNics(said: Said): readonly ArpNic[] {
  const values = new Map(said.all('value').map((line) => [line.slice(0, line.lastIndexOf(':')), line.slice(line.lastIndexOf(':') + 1)]));
  const names = [...values.keys()].flatMap((path) => /^\/sys\/class\/net\/([^/]+)\/type$/.exec(path)?.[1] ?? []);
  const nics = names.filter((name) => name !== 'lo' && speaksArp(name, values));
  return nics.flatMap((name) => {
    const [ignore, announce] = (['arp_ignore', 'arp_announce'] as const).map((key) => effective(name, key, values));
    return ignore && announce ? [{ name, arp_ignore: ignore, arp_announce: announce }] : [];
  });
}

const ethernet = '1';
const noArp = 0x80;

function speaksArp(name: string, values: ReadonlyMap<string, string>): boolean {
  return values.get(`/sys/class/net/${name}/type`) === ethernet && (Number(values.get(`/sys/class/net/${name}/flags`)) & noArp) === 0;
}

function effective(name: string, key: ArpKey, values: ReadonlyMap<string, string>): ArpValue | undefined {
  const [all, own] = ['all', name]
    .map((place) => values.get(`${conf}${place}/${key}`))
    .map((text) => (/^\d+$/.test(text ?? '') ? Number(text) : undefined));
  return all === undefined || own === undefined ? undefined : { effective: Math.max(all, own), because: '' };
}

/**
 * What the sysctl files come to at a boot. Neither a kernel default nor `default` counts: whether an interface is there before
 * `default` is set depends on the boot. systemd and `sysctl --system` differ in order; the smaller outcome is what can be relied on,
 * unless the larger is out of range.
 */
export function keptValue(files: readonly SysctlFile[], nic: string, key: ArpKey): ArpValue {
  const [byAll, byNic] = ['all', nic].map((place) => persistedLines(files, `net/ipv4/conf/${place}/${key}`));
  const outcomes = [0, 1].map((reader) => {
    const lines = [byAll?.[reader], byNic?.[reader]].filter((line) => line !== undefined);
    const best = lines.toSorted((one, other) => toNumber(other.value) - toNumber(one.value))[0];
    return { effective: toNumber(best?.value), because: best ? best.file.path : 'no file sets it' };
  });
  const [systemd, classic] = outcomes as [ArpValue, ArpValue];
  return classic.effective < systemd.effective ? classic : systemd;
}

function toNumber(value: string | undefined): number {
  return /^\d+$/.test(value ?? '') ? Number(value) : 0;
}
