/** Tunnels: whether a real server asks clients for segments that fit, by a rule on packets (whoever made it) or by its route back. */
import { familyOf } from '../../inventory/addresses.ts';
import type { Fleet, Host } from '../../model.ts';
import { type Finding, type Look, lines, type Sh, sh } from '../../task.ts';
import { isRoomy, mtuOf, mtuProbe, segmentsWithin, tunnelBytes } from '../../tasks/support/firewall/segment-sizes.ts';
import { fail, notRun, pass } from './finding.ts';
import type { Said } from './said.ts';
import { frontsOf, servedBy } from './topology.ts';

/** A VIP behind a tunnel, and the real server's address at which that ends. */
interface End {
  readonly vip: string;
  readonly rip: string;
}

/** UDP knows no segments. */
function endsOf(host: Host, fleet: Fleet): readonly End[] {
  const tunnelled = servedBy(host, fleet).filter(
    ({ service }) => service.forward === 'tun' && frontsOf(service).some(({ protocol }) => protocol === 'tcp'),
  );
  return [...new Map(tunnelled.map(({ service: { vip }, real: { rip } }) => [vip, { vip, rip }])).values()];
}

/** Only tables that there are: to ask legacy iptables for another would make it. Routes to an address that is nobody's, as to the world. */
export function segmentsProbe(host: Host, fleet: Fleet): Sh {
  const ends = endsOf(host, fleet);
  if (ends.length === 0) return { parts: [] };
  return lines(
    mtuProbe(ends.map(({ rip }) => rip)),
    sh`{
  ! command -v nft >/dev/null || nft -n -s list ruleset
  for tool in iptables ip6tables; do
    command -v "$tool" >/dev/null || continue
    case $("$tool" -V) in
      *nf_tables*) ;;
      *) grep -qx mangle "/proc/net/\${tool%tables}_tables_names" 2>/dev/null || continue ;;
    esac
    "$tool-save" -t mangle
  done
} 2>/dev/null | grep -E 'maxseg size set [0-9]|--set-mss ' | sed 's/^[[:space:]]*/limit /'`,
    ...ends.map(
      ({ vip }) =>
        sh`route=$(ip -o route get ${familyOf(vip) === 'ipv6' ? '2001:db8::1' : '192.0.2.1'} from ${vip} 2>/dev/null) && printf 'way %s %s\n' ${vip} "$route"`,
    ),
    sh`:`,
  );
}

export function judgeSegments(look: Look, said: Said | undefined, fleet: Fleet): readonly Finding[] {
  return said === undefined ? [] : endsOf(look.host, fleet).map((end) => judgeEnd(look, end, said));
}

function judgeEnd({ host: { name }, output }: Look, { vip, rip }: End, said: Said): Finding {
  const mtu = mtuOf(rip, output.stdout);
  if (mtu === undefined)
    return notRun(name, `no card of ${name} has ${rip}`, `segments to ${vip} fit into the tunnel`, `ip addr show to ${rip}`);
  const most = segmentsWithin(mtu, vip);
  const expected = `${name} asks for segments of at most ${most} bytes as ${vip}`;
  if (isRoomy(mtu, vip)) return pass(name, `packets of 1500 bytes fit into the tunnel to ${name}, whose MTU is ${mtu}`, expected);
  const asked = Math.min(mtu - tunnelBytes(vip) - 20, ...limitsOf(vip, said));
  const found = `${name} asks for segments of ${asked} bytes as ${vip}`;
  if (asked <= most) return pass(name, found, expected);
  const fix = `lvsctl deploy limits them (the task segment_size); or say advmss ${most} in the routes of ${name} back to clients`;
  return fail(name, `${found}: with the tunnel's header they are ${asked - most} bytes too long for its MTU of ${mtu}`, expected, fix);
}

/** Of rules for the VIP or for all, and of the route. What nft shows by `rt mtu` does not know of the tunnel. */
function limitsOf(vip: string, said: Said): readonly number[] {
  const meant = said.all('limit').filter((line) => {
    const from = /(?:saddr|(?<= )-s) (\S+)/.exec(line)?.[1];
    return from === undefined || from.replace(/\/(?:32|128)$/, '') === vip;
  });
  const limits = meant.flatMap((line) => /(?:size set|--set-mss) (\d+)/.exec(line)?.[1] ?? []);
  const ways = said.all('way').filter((line) => line.startsWith(`${vip} `));
  return [...limits, ...ways.flatMap((line) => /\badvmss (\d+)/.exec(line)?.[1] ?? [])].map(Number);
}
