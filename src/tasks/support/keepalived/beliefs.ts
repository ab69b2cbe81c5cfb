/**
 * What the running keepalived believes of its virtual and real servers. Only keepalived knows: a row of the kernel's table may be missing
 * because a health check failed, which is right, or because somebody deleted it, which nothing but a comparison notices.
 */
import { lines, type Sh, sh } from '../../../task.ts';
import { findProcess } from './process.ts';

export interface BelievedServer {
  readonly address: string;
  /** 0: with a firewall mark, the port that the client asked. */
  readonly port: number;
  /** As configured, and as it is now: a drain lowers the second one. */
  readonly weight: number;
  readonly effectiveWeight: number;
  readonly forward: string;
  /** Connections; 0: no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** Its health checks pass. */
  readonly alive: boolean;
  /** When they fail, it stays in the table with weight 0. */
  readonly inhibit: boolean;
}

export interface BelievedService {
  readonly protocol: 'TCP' | 'UDP' | 'FWM';
  /** Address, or the mark in decimal. */
  readonly address: string;
  readonly port: number;
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly onePacket: boolean;
  /** Seconds; 0: not persistent. */
  readonly persistence: number;
  readonly granularity: string | undefined;
  /** Enough real servers are healthy; otherwise the sorry server answers, where there is one, and they do not. */
  readonly quorumUp: boolean;
  readonly sorry: { readonly address: string; readonly port: number; readonly forward: string } | undefined;
  readonly servers: readonly BelievedServer[];
}

/** Sets `waited` to 0 where the keepalived of `pid` waits for SIGUSR1, and to 50 where that would end it. */
export const waitsForSignal: Sh = sh`waited=50
{ while read -r key mask; do
  mask=\${mask%??}
  case $key$mask in SigBlk:*[2367abef] | SigCgt:*[2367abef]) waited=0 ;; esac
done <"/proc/$pid/status"; } 2>/dev/null`;

/**
 * Has the running keepalived write down what it believes: `dump` is the file, `answered` says whether it came, `second` is the kernel's
 * table at that time. Asking (SIGUSR1) is the one thing that this does beside reading: there is no other way to know. The file is root's,
 * in keepalived's own /tmp, which PrivateTmp may hide from everybody else.
 *
 * It is written some time after the signal. It counts when it is another than before and has stopped growing, and only together with a
 * table that was the same before and after: otherwise a health check was just changing both. A process that does not wait for the signal
 * yet, in the first moments of its life, would be ended by it: that one is not asked.
 */
const ask: Sh = lines(
  waitsForSignal,
  sh`table() { awk '/^ *->/ { print "  ->", $2, $3, $4; next } { print }' /proc/net/ip_vs; }
look() { stat -c '%i %s %z' -- "$dump" 2>/dev/null; }
dump=/proc/$pid/root/tmp/keepalived_check.data tries=0 answered=''
while [ "$tries" -lt 5 ] && [ "$waited" -lt 50 ]; do
  tries=$((tries + 1))
  first=$(table) before=$(look) last=''
  kill -s USR1 "$pid" 2>/dev/null || break
  while [ "$waited" -lt 50 ]; do
    waited=$((waited + 1))
    sleep 0.1 2>/dev/null || { sleep 1; waited=$((waited + 9)); }
    now=$(look)
    [ "$now" = "$before" ] || [ -z "$now" ] || [ "$now" != "$last" ] || break
    last=$now
  done
  [ "$now" != "$before" ] && [ -n "$now" ] || break
  second=$(table)
  [ "$first" = "$second" ] || continue
  [ ! -f "$dump" ] || [ -L "$dump" ] || [ "$(stat -c %u -- "$dump")" != 0 ] || answered='yes'
  break
done`,
);

/** Says `kernel none` or `process none`, or `process running` with the table, its tick, and what keepalived believes. */
export const beliefsProbe: Sh = lines(
  findProcess,
  sh`if [ ! -r /proc/net/ip_vs ]; then printf 'kernel none\n'
elif [ -z "$pid" ]; then printf 'process none\n'
else
  printf 'process running\n'
  grep -s '' /proc/sys/net/ipv4/route/error_cost | sed 's/^/hz /'`,
  ask,
  sh`  if [ -n "$answered" ]; then
    printf '%s\n' "$second" | sed 's/^/table /'
    ! command -v ipvsadm >/dev/null || { ipvsadm -Sn | sed -n 's/^-A/saved &/p'; ipvsadm -Ln --thresholds | sed 's/^/limits /'; }
    sed -n '/LVS Topology/,/Health checkers/s/^/says /p' "$dump"
  fi
fi`,
);

/** Exits 0 when keepalived does not, or no longer, believe of this real server that it is alive, or is not: then it has done what is right itself. */
export function believesOtherwise(service: ServicePlace, server: ServerPlace, alive: boolean): Sh {
  return lines(findProcess, sh`[ -n "$pid" ] || exit 0`, ask, sh`[ -n "$answered" ] || exit 1`, saysOtherwise(service, server, alive));
}

type ServicePlace = Pick<BelievedService, 'protocol' | 'address' | 'port'>;
type ServerPlace = Pick<BelievedServer, 'address' | 'port'>;

/** The same of what is written in the file that `dump` names. */
export function saysOtherwise(service: ServicePlace, server: ServerPlace, alive: boolean): Sh {
  const head = service.protocol === 'FWM' ? `VS FWMARK = ${service.address}` : `VS VIP = ${service.address}, VPORT = ${service.port}`;
  const words = [`vs=${head}`, `protocol=${service.protocol}`, `rs=RIP = ${server.address}, RPORT = ${server.port},`];
  return sh`state=$(awk ${words.flatMap((word) => ['-v', word])} '{ sub(/^ */, "") } /^VS / { here = ($0 == vs); found = 0 }
  /^protocol = / && protocol != "FWM" && $3 != protocol { here = 0 } /Real server|Health/ { found = 0 }
  here && index($0, rs) == 1 { found = 1 } found && $1 == "alive" { print ($3 != 0) }' "$dump")
[ "$state" != ${alive ? '1' : '0'} ]`;
}

/** Reads lines of the dump; nothing of one that was cut short, where a server that is missing would look like one that is unknown. */
export function parseBeliefs(said: readonly string[]): readonly BelievedService[] {
  if (!said.some((line) => line.includes('< Health checkers >'))) return [];
  const sections = said
    .join('\n')
    .split(/^ *-+< Virtual server >-+$/m)
    .slice(1);
  return sections.flatMap(parseService);
}

function parseService(section: string): readonly BelievedService[] {
  const [head = '', ...servers] = section.split(/^ *-+< Real server >-+$/m);
  const said = (pattern: RegExp): string | undefined => pattern.exec(head)?.[1];
  const mark = said(/^ *VS FWMARK = (\d+)$/m);
  const [, address = '', port = ''] = /^ *VS VIP = ([0-9a-f.:]+), VPORT = (\d+)$/m.exec(head) ?? [];
  const protocol = mark === undefined ? said(/^ *protocol = (TCP|UDP)$/m) : 'FWM';
  const scheduler = said(/^ *(?:lvs_sched|lb_algo) = (\w+)$/m);
  // The last line of the head: without it the rest was cut off.
  const quorum = said(/^ *quorum_state_up = (\d)$/m);
  if (scheduler === undefined || protocol === undefined || quorum === undefined) return [];
  return [
    {
      protocol: protocol as BelievedService['protocol'],
      address: mark ?? address,
      port: mark === undefined ? Number(port) : 0,
      scheduler,
      flags: [...head.matchAll(/^ *((?:sh|mh)-(?:port|fallback)) = enabled$/gm)].map(([, flag = '']) => flag).sort(),
      onePacket: said(/^ *One packet scheduling = (\w+)$/m) === 'enabled',
      persistence: Number(said(/^ *persistence timeout = (\d+)$/m) ?? 0),
      granularity: said(/^ *persistence granularity = ([0-9.]+)$/m),
      quorumUp: quorum !== '0',
      sorry: parseSorry(head),
      servers: servers.flatMap(parseServer),
    },
  ];
}

function parseSorry(head: string): BelievedService['sorry'] {
  const [, address, port, forward = ''] = /^ *sorry server = \[([0-9a-f.:]+)\]:\w+:(\d+)\n *forwarding method = (\w+)\b/m.exec(head) ?? [];
  return address === undefined ? undefined : { address, port: Number(port), forward: forward.toLowerCase() };
}

function parseServer(text: string): readonly BelievedServer[] {
  const [, address = '', port = ''] = /^ *RIP = ([0-9a-f.:]+), RPORT = (\d+), /m.exec(text) ?? [];
  const number = (name: string) => new RegExp(`^ *${name} = (\\d{1,9})$`, 'm').exec(text)?.[1];
  const [weight, effectiveWeight, alive] = [number('initial weight'), number('effective weight'), number('alive')];
  const forward = /^ *forwarding method = (\w+)\b/m.exec(text)?.[1];
  const [, lower = '0', upper = '0'] = /^ *connection limit range = (\d{1,10}) -> (\d{1,10})$/m.exec(text) ?? [];
  if (address === '' || weight === undefined || effectiveWeight === undefined || alive === undefined || forward === undefined) return [];
  return [
    {
      address,
      port: Number(port),
      weight: Number(weight),
      effectiveWeight: Number(effectiveWeight),
      forward: forward.toLowerCase(),
      upperThreshold: Number(upper),
      lowerThreshold: Number(lower),
      alive: alive !== '0',
      inhibit: /^ *Inhibit on failure is ON$/m.test(text),
    },
  ];
}
