/** The kinds of values that an inventory is made of. Each says in its error what is allowed, for a wrong type and a wrong form alike. */
import { z } from 'zod';
import { rangeSize } from './addresses.ts';

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

const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const dotted = `(?:${octet}\\.){3}${octet}`;

/** Leading zeros are refused: some programs read 010 as 8. */
const ipv4Form = new RegExp(`^${dotted}$`);
const cidrForm = new RegExp(`^${dotted}/(?:[1-9]|[12][0-9]|3[0-2])$`);
const rangeForm = new RegExp(`^${dotted}(?:-${dotted})?$`);

/** The sentence for a value that should have been an IPv4 address; IPv6 gets a word of its own. */
function addressAllowed(allowed: string): (input: unknown) => string {
  return (input) => (typeof input === 'string' && /^[0-9a-f:]*:[0-9a-f:.]*:/i.test(input) ? `${allowed} (only IPv4 at present)` : allowed);
}

/** An address that a host can have. */
export function address() {
  const allowed = addressAllowed('an IPv4 address that a host can have, such as 10.18.43.10');
  return text(ipv4Form, allowed).refine(canBeHost, complaint(allowed));
}

/** An interface's address with its prefix length. */
export function interfaceAddress() {
  const allowed = addressAllowed('an IPv4 address with its prefix length, such as 10.18.43.10/24');
  return text(cidrForm, allowed).refine(canBeHost, complaint(allowed));
}

/** An address, or the first and the last of a range. */
export function addressRange() {
  const allowed = addressAllowed(`an IPv4 address, or a range upwards of at most ${longestRange} such as 10.18.43.200-10.18.43.231`);
  const fits = (range: string) => range.split('-').every(canBeHost) && rangeSize(range) >= 1 && rangeSize(range) <= longestRange;
  return text(rangeForm, allowed).refine(fits, complaint(allowed));
}

/** More addresses than any check needs; each becomes an address of the client's interface. */
const longestRange = 1024;

/** A subnet; bits beyond the prefix are ignored. */
export function subnet() {
  return text(cidrForm, addressAllowed('an IPv4 network such as 10.18.43.0/24'));
}

/** A virtual address: as `address`, and `/32` may be said. */
export function vip() {
  const allowed = addressAllowed('one IPv4 address, such as 10.18.43.30');
  const one = 'one address, with /32 or with no prefix: a wider prefix on lo makes the whole subnet local to the backend';
  const wide = (input: unknown) => (typeof input === 'string' && cidrForm.test(input) ? one : allowed(input));
  return text(new RegExp(`^${dotted}(?:/32)?$`), wide).refine(canBeHost, complaint(allowed));
}

/** An address and a port, loopback included. */
export function socketAddress() {
  const allowed = addressAllowed('ADDRESS:PORT, such as 127.0.0.1:80');
  const port = (value: string) => Number(value.replace(/^.*:/, ''));
  return text(new RegExp(`^${dotted}:[1-9][0-9]{0,4}$`), allowed).refine((value) => port(value) <= 65_535, complaint(allowed));
}

/** Not "this network", not loopback, not multicast or reserved (RFC 6890). */
function canBeHost(text: string): boolean {
  const first = Number(/^[0-9]+/.exec(text)?.[0]);
  return first > 0 && first !== 127 && first < 224;
}
