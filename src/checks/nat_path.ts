/** NAT: packets find their way through the director in both directions, and no other way back. */
import { z } from 'zod';
import { addressOf, familyOf } from '../inventory/addresses.ts';
import type { Fleet, Host } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look, type Sh, sh } from '../task.ts';
import { addressesOf, addressProbe } from './support/addresses.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { heard, type Said, telling } from './support/said.ts';
import { answeringPort, frontsOf, onSegmentOf, servedBy } from './support/topology.ts';

export default defineCheck({
  summary:
    'Directors of NAT services forward and send no redirects, the gateway is where the VIPs are, and replies of the backends go by it.',
  params: z.strictObject({}),
  from: ['director', 'backend'],
  probe: (_, host, fleet) => {
    if (natVips(fleet).length === 0 || !fleet.nat) return undefined;
    if (host.role === 'director') return telling(addressProbe, forwardingProbe(fleet));
    const replies = repliesOf(host, fleet);
    return replies.length > 0 ? telling(...replies.map(routeProbe)) : undefined;
  },
  expect: (looks, _, { fleet }) => {
    const expected = 'replies of NAT backends go through the director that has the VIP';
    if (natVips(fleet).length === 0 || !fleet.nat) return [];
    if (looks.length === 0) return [nobodyLooked('director', fleet, expected)];
    const directors = looks.filter(({ host }) => host.role === 'director');
    return [
      ...directors.flatMap((look) => judgeDirector(look, fleet, expected)),
      ...judgeTogether(directors, fleet),
      ...looks.filter(({ host }) => host.role === 'backend').flatMap((look) => judgeBackend(look, { fleet }, expected)),
    ];
  },
  example: {},
});

function natVips({ services }: Fleet): readonly string[] {
  return [...new Set(services.filter(({ forward }) => forward === 'nat').map(({ vip }) => vip))];
}

/** Of `all` and the interface. */
function forwardingProbe({ nat, virtualAddresses }: Fleet): Sh {
  const nics = ['all', nat?.gateway.interface ?? '', ...virtualAddresses.map((each) => each.interface)];
  const paths = [...new Set(nics)].map((nic) => `/proc/sys/net/ipv4/conf/${nic}/send_redirects`);
  return sh`grep -sH '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding ${paths} | while IFS= read -r line; do printf 'value %s\n' "$line"; done`;
}

function judgeDirector(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  const values = new Map(
    (said?.all('value') ?? []).map((line) => [line.slice(0, line.lastIndexOf(':')), line.slice(line.lastIndexOf(':') + 1)]),
  );
  if (!said || values.size === 0) return [unreadable(look, expected)];
  const { name } = look.host;
  const families = [...new Set(natVips(fleet).map(familyOf))];
  const forwarding = families.map((family): Finding => {
    const key = family === 'ipv4' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
    const value = values.get(`/proc/sys/${key.replaceAll('.', '/')}`) ?? '';
    const found = `${key} is ${value || 'unknown'} on ${name}`;
    if (value === '1' || value === '2') return pass(name, found, `${key} = 1`);
    return fail(name, found, `${key} = 1`, `sysctl -w ${key}=1 on ${name}, and in /etc/sysctl.d; lvsctl deploy does both`);
  });
  return [...forwarding, ...(families.includes('ipv4') ? [judgeRedirects(name, values, fleet)] : [])];
}

/** With redirects a backend would learn the client's own router, and reply past the director. One that is not 0 is enough to send them. */
function judgeRedirects(name: string, values: ReadonlyMap<string, string>, { nat }: Fleet): Finding {
  const nics = ['all', nat?.gateway.interface ?? ''];
  const sending = nics.filter((nic) => values.get(`/proc/sys/net/ipv4/conf/${nic}/send_redirects`) !== '0');
  const expected = `send_redirects is 0 for ${listed(nics)}`;
  if (sending.length === 0) return pass(name, `${name} sends no redirects by ${nics[1]}`, expected);
  const set = sending.map((nic) => `net.ipv4.conf.${nic}.send_redirects=0`).join(' ');
  return fail(
    name,
    `send_redirects is not 0 for ${listed(sending)} on ${name}`,
    expected,
    `sysctl -w ${set} on ${name}, and in /etc/sysctl.d`,
  );
}

/** A gateway on the other director gets replies of connections that it does not know. */
function judgeTogether(directors: readonly Look[], fleet: Fleet): readonly Finding[] {
  const holders = directors.flatMap((look) => {
    const said = heard(look);
    const own = said ? addressesOf(said).filter(({ nic }) => nic !== 'lo') : [];
    return own.length > 0 ? [{ name: look.host.name, has: (address: string) => own.some((each) => each.address === address) }] : [];
  });
  const gateway = fleet.nat?.gateway.address ?? '';
  const gatewayOn = holders.filter(({ has }) => has(gateway)).map(({ name }) => name);
  return natVips(fleet)
    .filter((vip) => familyOf(vip) === familyOf(gateway))
    .flatMap((vip) => {
      const vipOn = holders.filter(({ has }) => has(vip)).map(({ name }) => name);
      const [holder] = vipOn;
      // Nobody, or several: vip_placement says so.
      if (vipOn.length !== 1 || gatewayOn.length !== 1 || holder === undefined) return [];
      const expected = `${vip} and the gateway ${gateway} on one director`;
      if (gatewayOn[0] === holder) return [pass(holder, `${vip} and the gateway ${gateway} are both on ${holder}`, expected)];
      const fix = 'one VRRP instance for both, or a sync group of their instances';
      return [fail(holder, `${vip} is on ${holder}, but the gateway ${gateway} on ${gatewayOn[0]}`, expected, fix)];
    });
}

/** A reply whose way is asked for. */
interface Reply {
  readonly client: string;
  readonly to: string;
  readonly from: string;
  readonly protocol: string;
  readonly port: number;
}

/** To every client of the family; without clients to an address that is nobody's (RFC 5737, RFC 3849), as to the whole world. */
function repliesOf(host: Host, fleet: Fleet): readonly Reply[] {
  const clients = fleet.hosts.filter(({ role }) => role === 'client');
  const served = servedBy(host, fleet).filter(({ service }) => service.forward === 'nat');
  const all = served.flatMap((each) =>
    frontsOf(each.service).flatMap((front) => {
      const family = familyOf(each.real.rip);
      const known = clients.flatMap(({ name, interfaces }) =>
        interfaces
          .flatMap(({ addresses }) => addresses.map(addressOf))
          .filter((address) => familyOf(address) === family)
          .slice(0, 1)
          .map((to) => ({ client: name, to })),
      );
      const world = { client: 'the world', to: family === 'ipv6' ? '2001:db8::1' : '192.0.2.1' };
      const port = answeringPort(each, front);
      return (known.length > 0 ? known : [world]).map(
        (target): Reply => ({ ...target, from: each.real.rip, protocol: front.protocol, port }),
      );
    }),
  );
  return [...new Map(all.map((reply) => [keyOf(reply), reply])).values()];
}

function keyOf({ to, protocol, port }: Reply): string {
  return `${to} ${protocol} ${port}`;
}

/** Rules may choose by port: iproute2 4.17 can ask so; an older one answers for any packet from this address. */
function routeProbe(reply: Reply): Sh {
  const { to, from, protocol, port } = reply;
  return sh`route=$(ip -o route get ${to} from ${from} ipproto ${protocol} sport ${port} 2>/dev/null) || route=$(ip -o route get ${to} from ${from} 2>&1)
printf 'reply %s %s\n' ${keyOf(reply)} "$route"`;
}

function judgeBackend(look: Look, { fleet }: Pick<CheckContext, 'fleet'>, fallback: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, fallback)];
  return repliesOf(look.host, fleet).map((reply) => judgeReply(look, reply, said, fleet));
}

function judgeReply(look: Look, reply: Reply, said: Said, { nat }: Fleet): Finding {
  const { name } = look.host;
  const { client, to, from, port, protocol } = reply;
  const gateway = nat?.gateway.address ?? '';
  const what = `replies of ${name} from ${protocol.toUpperCase()} port ${port} to ${client} (${to})`;
  const expected = `${what} go by ${gateway}`;
  const route = said
    .all('reply')
    .find((line) => line.startsWith(`${keyOf(reply)} `))
    ?.slice(keyOf(reply).length + 1);
  if (route === undefined || route === '') return unreadable(look, expected);
  if (familyOf(gateway) !== familyOf(from))
    return notRun(name, `${what}: the gateway is of the other family`, expected, 'see that they come back through the director');
  const [, via = ''] = /\bvia (\S+)/.exec(route) ?? [];
  const [, nic = ''] = /\bdev (\S+)/.exec(route) ?? [];
  if (via === gateway) return pass(name, `${what} go by ${via}`, expected);
  const set = `ip route replace default via ${gateway} on ${name}, or a rule for these replies alone; lvsctl deploy sets what nat.replies says`;
  if (nic === '') return fail(name, `${what} have no route`, expected, set);
  if (via !== '') return fail(name, `${what} go by ${via} on ${nic}`, expected, set);
  const direct = `${what} go straight to it on ${nic}, past the director`;
  const near = onSegmentOf(to, look.host) ? `: ${client} is on the real servers' segment, where NAT does not work; ask from another` : '';
  return fail(name, `${direct}${near}`, expected, set);
}
