/** Layer 7: nginx on the directors runs, comes back after a reboot, and listens for its sites. */
import { z } from 'zod';
import type { Fleet, ProxySite } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { parseUnit, unitProbe } from '../tasks/support/systemd.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { listenerProbe, listeners, takes } from './support/listeners.ts';
import { heard, telling } from './support/said.ts';
import { endpoint } from './support/topology.ts';
import { judgeUnit } from './support/unit.ts';

export default defineCheck({
  summary: "Each director's nginx is active and enabled, and listens for the sites that it passes on.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, { proxy }) => (proxy ? telling(listenerProbe, unitProbe('nginx.service')) : undefined),
  expect: (looks, _, { fleet }) => {
    const expected = 'nginx on each director, active, enabled, listening for its sites';
    if (!fleet.proxy) return [];
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

function judgeHost(look: Look, { proxy }: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const { name } = look.host;
  const open = listeners(said);
  const units = judgeUnit(name, 'nginx', parseUnit(look.output));
  if (!open) return [...units, notRun(name, 'neither ss nor /proc/net/tcp tells who listens', expected, `install iproute2 on ${name}`)];
  const sites = new Map((proxy?.sites ?? []).map((site) => [endpoint(site.vip, site.port), site]));
  const listening = [...sites.values()].map((site): Finding => {
    const own = open.filter(({ protocol, port }) => protocol === 'tcp' && port === site.port);
    const wanted = `nginx listens for ${endpoint(site.vip, site.port)}`;
    if (own.some((each) => takes(each, site.vip))) return pass(name, `${name} listens for ${endpoint(site.vip, site.port)}`, wanted);
    const others = own.length > 0 ? `${name} listens on port ${site.port} of ${listed(own.map(({ address }) => address))} only` : '';
    return fail(name, others || `nothing listens on port ${site.port} of ${name}`, wanted, listenFix(name, site));
  });
  return [...units, ...listening];
}

function listenFix(name: string, { vip, port }: ProxySite): string {
  const listen = vip.includes(':') ? `[::]:${port}` : port;
  return `systemctl start nginx on ${name}; if it runs, "listen ${listen};" in its site, not the VIP, which a standby does not have`;
}
