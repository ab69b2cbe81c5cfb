/** The kinds of values that an inventory is made of. Each says in its error what is allowed, for a wrong type and a wrong form alike. */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { addressOf, canonical, familyOf, prefixOf, rangeSize, wholeLength } from '../addresses.ts';

/** What is allowed, as the end of a sentence; or how to say it once the value is known. */
type Allowed = string | ((input: unknown) => string);

function complaint(allowed: Allowed): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (typeof allowed === 'string' ? allowed : allowed(input)) };
}

/** Text of a given form. */
export function text(form: RegExp, allowed: Allowed) {
  return z.string(complaint(allowed)).regex(form, { ...complaint(allowed), abort: true });
}

/** Any text without control characters, line breaks and marks of secrets. */
export function line(what: string) {
  return text(/^[^\p{Cc}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u, `${what}, on one line`);
}

/** A whole number within bounds, both included. */
export function whole(minimum: number, maximum: number, allowed: Allowed = `a whole number from ${minimum} to ${maximum}`) {
  return z.int(complaint(allowed)).min(minimum, complaint(allowed)).max(maximum, complaint(allowed));
}

/** A span of time; fractions are allowed. */
export function seconds(minimum: number, maximum: number) {
  const allowed = `seconds, from ${minimum} to ${maximum}`;
  return z.number(complaint(allowed)).min(minimum, complaint(allowed)).max(maximum, complaint(allowed));
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, complaint(words.length === 1 ? `${words[0]} (nothing else yet)` : `one of ${words.join(', ')}`));
}

/** A value that may have one of several forms; `allowed` says which. */
export function either<const Forms extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(forms: Forms, allowed: string) {
  return z.union(forms, { error: allowed });
}

const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const dotted = `(?:${octet}\\.){3}${octet}`;

/** Leading zeros are refused: some programs read 010 as 8. IPv6 in any spelling; what is no address is found by parsing it. */
const any = `(?:${dotted}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)`;
const addressForm = new RegExp(`^${any}$`);
const cidrForm = new RegExp(`^${any}/[1-9][0-9]{0,2}$`);
const rangeForm = new RegExp(`^${any}(?:-${any})?$`);

/** An address that a host can have. */
export function address() {
  const allowed = 'an IPv4 or IPv6 address that a host can have, such as 10.18.43.10';
  return text(addressForm, allowed).refine(canBeHost, complaint(allowed)).overwrite(canonical);
}

/** An interface's address with its prefix length. */
export function interfaceAddress() {
  const allowed = 'an address with its prefix length, such as 10.18.43.10/24 or fd79::10/64';
  return text(cidrForm, allowed)
    .refine((cidr) => canBeHost(addressOf(cidr)) && lengthFits(cidr), complaint(allowed))
    .overwrite((cidr) => `${canonical(addressOf(cidr))}/${prefixOf(cidr)}`);
}

/** An address, or the first and the last of a range. */
export function addressRange() {
  const allowed = `an address, or a range upwards of at most ${longestRange} such as 10.18.43.200-10.18.43.231`;
  const fits = (range: string) => range.split('-').every(canBeHost) && rangeSize(range) >= 1 && rangeSize(range) <= longestRange;
  return text(rangeForm, allowed).refine(fits, complaint(allowed));
}

/** More addresses than any check needs; each becomes an address of the client's interface. */
const longestRange = 1024;

/** A subnet; bits beyond the prefix are ignored. */
export function subnet() {
  const allowed = 'a network such as 10.18.43.0/24 or fd79::/64';
  return text(cidrForm, allowed).refine((cidr) => ipaddr.isValid(addressOf(cidr)) && lengthFits(cidr), complaint(allowed));
}

/** A virtual address: as `address`, and `/32` or `/128` may be said. */
export function vip() {
  const allowed = 'one IPv4 or IPv6 address, such as 10.18.43.30';
  const one = 'one address, with /32 (IPv6: /128) or with no prefix: a wider prefix on lo makes the whole subnet local to the backend';
  const words = (input: unknown) => (typeof input === 'string' && cidrForm.test(input) ? one : allowed);
  const alone = (value: string) => !value.includes('/') || Number(prefixOf(value)) === wholeLength(value);
  return text(new RegExp(`^${any}(?:/(?:32|128))?$`), words)
    .refine((value) => alone(value) && canBeHost(addressOf(value)), complaint(words))
    .overwrite((value) => canonical(addressOf(value)));
}

/** An address and a port, loopback included; an IPv6 address stands in brackets. */
export function socketAddress() {
  const allowed = 'ADDRESS:PORT, such as 127.0.0.1:80 or [fd79::1]:80';
  const fits = (value: string) => {
    const { address, port } = splitSocket(value);
    return ipaddr.isValid(address) && port <= 65_535;
  };
  return text(new RegExp(`^(?:${dotted}|\\[[0-9A-Fa-f:.]+\\]):[1-9][0-9]{0,4}$`), allowed).refine(fits, complaint(allowed));
}

/** The two parts of what `socketAddress` has let through. */
export function splitSocket(value: string): { readonly address: string; readonly port: number } {
  const colon = value.lastIndexOf(':');
  return { address: canonical(value.slice(0, colon).replace(/^\[|\]$/g, '')), port: Number(value.slice(colon + 1)) };
}

function lengthFits(cidr: string): boolean {
  return Number(prefixOf(cidr)) <= wholeLength(cidr);
}

/** Not "this network", not loopback, not link-local IPv6 (it means nothing without an interface), not multicast or reserved (RFC 6890). */
function canBeHost(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  if (familyOf(text) === 'ipv6')
    return !['unspecified', 'loopback', 'linkLocal', 'multicast', 'ipv4Mapped'].includes(ipaddr.parse(text).range());
  const first = Number(/^[0-9]+/.exec(text)?.[0]);
  return first > 0 && first !== 127 && first < 224;
}
