/** Each backend listens where packets for its services arrive, and will do so after a reboot. */
import { z } from 'zod';
import type { Fleet } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { type Listener, listenerProbe, listeners, takes } from './support/listeners.ts';
import { heard, telling } from './support/said.ts';
import { type Ear, earsOf, endpoint } from './support/topology.ts';
import { anyUnit, anyUnitProbe, judgeUnit } from './support/unit.ts';

export default defineCheck({
  summary:
    'Each backend listens on its ports at an address that packets for its services reach; a managed web server is active and enabled.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) =>
    earsOf(host, fleet).length > 0 ? telling(listenerProbe, unitsOf(fleet).length > 0 && anyUnitProbe(unitsOf(fleet))) : undefined,
  expect: (looks, _, { fleet }) => {
    const expected = 'each backend listens for its services';
    return looks.length === 0 ? [nobodyLooked('backend', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

/** Names that the web server's unit may have, the likelier first. Empty: lvsctl does not see to it. */
function unitsOf({ nginx, apache }: Pick<Fleet, 'nginx' | 'apache'>): readonly string[] {
  if (nginx) return ['nginx'];
  return apache ? ['apache2', 'httpd'] : [];
}

function judgeHost(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const open = listeners(said);
  const { name } = look.host;
  const { unit, seen } = anyUnit(look.output, unitsOf(fleet));
  const units = unit === '' ? [] : judgeUnit(name, unit, seen);
  if (!open) {
    const found = 'neither ss nor /proc/net/tcp tells who listens';
    return [notRun(name, found, expected, `install iproute2 on ${name}`), ...units];
  }
  return [...earsOf(look.host, fleet).map((ear) => judgeListening(name, ear, open, unit)), ...units];
}

function judgeListening(name: string, ear: Ear, open: readonly Listener[], server: string): Finding {
  const { address, port, protocol } = ear;
  const own = open.filter((each) => each.port === port && each.protocol === protocol);
  const every = address.includes(':') ? '::' : '0.0.0.0';
  const udp = protocol === 'udp' ? 'UDP ' : '';
  const expected = `something listens on ${udp}${endpoint(every, port)} or ${endpoint(address, port)}`;
  const listen = `"listen ${address.includes(':') ? `[::]:${port}` : port}${protocol === 'udp' ? ' udp' : ''};"`;
  if (own.length === 0) {
    const start = `${server === '' ? 'start the server' : `systemctl start ${server}`} on ${name}; if it runs, have it listen there, in nginx ${listen}`;
    return fail(name, `nothing listens on ${udp}port ${port} of ${name}`, expected, start);
  }
  const found = `${name} listens on ${udp}${listed(own.map((each) => shown(each)))}`;
  if (own.some((each) => takes(each, address))) return pass(name, found, expected);
  const what = `as it is, packets for ${endpoint(address, port)} are refused`;
  return fail(name, found, expected, `have ${server || 'the server'} of ${name} listen there, in nginx ${listen}, and restart it: ${what}`);
}

function shown({ address, port, families }: Listener): string {
  if (address !== '*') return endpoint(address, port);
  return families.length > 1 ? `*:${port}` : endpoint(families[0] === 'ipv6' ? '::' : '0.0.0.0', port);
}
