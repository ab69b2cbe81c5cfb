import fc from 'fast-check';
import { formatError, LvsError } from '../../src/errors.ts';
import { parseInventory } from '../../src/inventory/load.ts';

/** A small cluster in which everything is right; the tests below break one thing at a time. */
export const base = `cluster: web
vrrp: { id: 51, interface: eth0, vip_interface: eth1 }
services:
  - vip: 10.18.43.30
    port: 80
    scheduler: rr
    backends: all
directors:
  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: 10.18.43.10/24, eth1: 10.18.43.12/24 } }
  dr2: { address: 10.18.43.20, priority: 150, interfaces: { eth0: 10.18.43.20/24, eth1: 10.18.43.22/24 } }
backends:
  web1: { address: 10.18.43.13 }
  web2: { address: 10.18.43.14 }
clients:
  probe: { address: 10.18.43.50, sources: [10.18.43.200-10.18.43.231] }
nginx:
  source:
    version: 1.26.3
    sha256: ${'0123456789abcdef'.repeat(4)}
`;

/** A text that is in the base inventory, and what stands there instead. */
export type Edit = readonly [from: string, to: string];

/** `base` with each first text replaced by the second; a first text that is not there is a mistake in the test. */
export function edited(...edits: readonly Edit[]): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`not in the base inventory: ${from}`);
    return text.replace(from, () => to);
  }, base);
}

/** The lines that a user sees; none when the inventory is right. */
export function complaintsAbout(text: string): readonly string[] {
  try {
    parseInventory(text, 'web.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    return [error, ...error.others].map(formatError);
  }
}

/** Any text: control characters, halves of surrogate pairs and all. */
export const anyText = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc.array(fc.nat(0xffff), { maxLength: 100 }).map((codes) => String.fromCharCode(...codes)),
);
