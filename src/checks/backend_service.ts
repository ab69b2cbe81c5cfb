/** Each backend listens where packets for the service arrive, and will do so after a reboot. */
import { z } from 'zod';
import type { Fleet } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { parseUnit, unitProbe } from '../tasks/support/systemd.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { type Listener, listenerProbe, listeners } from './support/listeners.ts';
import { heard, telling } from './support/said.ts';
import { endpoint, keepsVip, type Served, servedBy } from './support/topology.ts';
import { judgeUnit } from './support/unit.ts';

export default defineCheck({
  summary: 'Each backend listens on its port at an address that packets for the VIP reach; a managed nginx is active and enabled.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) =>
    servedBy(host, fleet).length > 0 ? telling(listenerProbe, fleet.nginx && unitProbe('nginx.service')) : undefined,
  expect: (looks, _, { fleet }) => {
    const expected = 'each backend listens for its services';
    return looks.length === 0 ? [nobodyLooked('backend', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

function judgeHost(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const open = listeners(said);
  const units = fleet.nginx ? judgeUnit(look.host.name, 'nginx', parseUnit(look.output)) : [];
  if (!open)
    return [
      notRun(look.host.name, 'neither ss nor /proc/net/tcp tells who listens', expected, `install iproute2 on ${look.host.name}`),
      ...units,
    ];
  return [...servedBy(look.host, fleet).map((served) => judgeListening(look.host.name, served, open)), ...units];
}

/** Packets of a NAT service come to the RIP; all others still have the VIP as their destination. */
function judgeListening(name: string, served: Served, open: readonly Listener[]): Finding {
  const { service, real } = served;
  const address = keepsVip(served) ? service.vip : real.rip;
  const own = open.filter(({ port }) => port === real.port);
  const expected = `something listens on ${endpoint('0.0.0.0', real.port)} or ${endpoint(address, real.port)}`;
  if (own.length === 0) {
    return fail(
      name,
      `nothing listens on port ${real.port} of ${name}`,
      expected,
      `systemctl start nginx on ${name}; if it runs, give it "listen ${real.port};"`,
    );
  }
  const found = `${name} listens on ${listed(own.map((each) => endpoint(each.address === '*' ? '0.0.0.0' : each.address, each.port)))}`;
  if (own.some((each) => each.address === '*' || each.address === address)) return pass(name, found, expected);
  const what = `packets for ${endpoint(address, real.port)} are refused`;
  return fail(name, found, expected, `"listen ${real.port};" in nginx.conf on ${name} and systemctl restart nginx: as it is, ${what}`);
}
