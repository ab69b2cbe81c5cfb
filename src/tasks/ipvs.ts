/**
 * The rows of the kernel's IPVS table. keepalived fills it and looks at it no more: what was done by hand (ipvsadm) stays, whatever it
 * reloads or checks. So the table is compared with what keepalived believes: missing though alive is mended, missing because a health
 * check failed is right.
 */
import { z } from 'zod';
import { type Change, defineTask, type Output } from '../task.ts';
import { believedOf, type IpvsSeen, type IpvsService, serviceChanges, strangersIn } from './support/ipvs/changes.ts';
import { parseLimits, parseSaved, socket } from './support/ipvs/kernel-details.ts';
import { parseTable } from './support/ipvs/kernel-table.ts';
import { beliefsProbe, parseBeliefs } from './support/keepalived/beliefs.ts';
import { exampleService, serviceName, services } from './support/keepalived/params.ts';

const params = z.strictObject({ services });

interface Want {
  readonly services: readonly IpvsService[];
}

interface Seen extends IpvsSeen {
  /** Why nothing can be compared; empty where it can. */
  readonly silent: string;
}

export default defineTask<Want, Seen>({
  summary: "Keeps the kernel's virtual and real servers as keepalived believes them to be: undoes what was done by hand with ipvsadm.",
  params,
  touches: ({ services }) => services.map((service) => `ipvs:${serviceName(service)}`),
  needs: () => ['package:ipvsadm', 'service:keepalived.service'],
  probe: () => beliefsProbe,
  parse,
  plan: (seen, { services }): readonly Change[] => (seen.silent === '' ? services.flatMap((service) => serviceChanges(service, seen)) : []),
  settled: (want, seen) => {
    if (seen.silent !== '') return seen.silent;
    const left = strangersIn(seen.table, want.services);
    const others = left.length === 0 ? '' : `; left alone, as nothing here put it there: ${left.join(', ')}`;
    return `${aboutWaiting(want, seen)}${others}`;
  },
  example: {
    services: [exampleService],
  } as Want,
});

function parse({ stdout }: Output): Seen {
  const said = stdout.split('\n');
  const after = (word: string) => said.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const table = parseTable(after('table'));
  return {
    silent: silence(said, table !== undefined),
    table: table ?? [],
    believed: parseBeliefs(after('says')),
    details: parseSaved(after('saved')),
    limits: parseLimits(after('limits')),
    hz: Number(/^\d{2,5}$/.exec(after('hz')[0] ?? '')?.[0] ?? Number.NaN),
  };
}

function silence(said: readonly string[], table: boolean): string {
  if (said.includes('kernel none')) return 'there is no IPVS in the kernel yet; keepalived fills the table when it starts';
  if (!said.includes('process running')) return 'keepalived does not run; it fills the table when it starts';
  return table ? '' : 'the table was not compared: keepalived did not say within 5 seconds what it believes';
}

/** What keepalived has yet to read is its reload's business. */
function aboutWaiting({ services }: Want, { believed }: Seen): string {
  const waits = services.filter((service) => !believedOf(service, believed));
  if (waits.length > 0) return `keepalived has yet to read its configuration: ${waits.map(serviceName).join(', ')}`;
  const out = believed.flatMap(({ servers }) => servers.filter(({ alive }) => !alive).map(socket));
  return `the kernel's table is what keepalived believes${out.length > 0 ? `; out by health check: ${out.join(', ')}` : ''}`;
}
