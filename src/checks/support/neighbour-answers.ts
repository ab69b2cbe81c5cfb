/** Who answers when a host asks its whole segment for an IPv6 address: with ndisc6 or tcpdump; else the one answer the kernel keeps. */
import { lines, type Sh, sh } from '../../task.ts';
import type { ArpAnswers } from './arp-answers.ts';
import { routeTo } from './route.ts';
import type { Said } from './said.ts';

/** Asks for every address at once, for about three seconds. */
export function neighbourQuestions(addresses: readonly string[]): Sh {
  return lines(chooseTool, ...addresses.map((address) => lines(routeTo(address), ask(address))), sh`wait`);
}

/** A second answer replaces the first in the kernel's table, or comes to nothing: only the other tools see both. */
const chooseTool = sh`tool=kernel
if command -v ndisc6 >/dev/null 2>&1; then tool=ndisc6; elif command -v tcpdump >/dev/null 2>&1; then tool=tcpdump; fi
printf 'ndtool %s\n' "$tool"
heard() { while IFS= read -r line; do printf 'nd %s %s\n' "$1" "$line"; done; }
provoke() {
  ip -6 neigh del "$1" dev "$dev" 2>/dev/null
  ping -6 -c 1 -W 1 "$1" >/dev/null 2>&1 || curl -g -s --noproxy '*' --max-time 1 -o /dev/null "http://[$1]/" 2>/dev/null
}
listen() {
  tcpdump -c 200 -nnel -i "$dev" 'icmp6 and ip6[40] == 136' 2>/dev/null & pid=$!
  sleep 1
  provoke "$1"
  sleep 1
  kill "$pid"
}
table() {
  provoke "$1"
  sleep 1
  ip -6 neigh show to "$1" dev "$dev"
}`;

function ask(address: string): Sh {
  return sh`printf 'ndasked %s %s %s\n' ${address} "\${dev:--}" "\${via:--}"
if [ -n "$dev" ] && [ -z "$via" ]; then
  case $tool in
    ndisc6) ndisc6 -m -r 1 -w 2000 ${address} "$dev" 2>&1 | heard ${address} & ;;
    tcpdump) listen ${address} | heard ${address} & ;;
    kernel) table ${address} | heard ${address} & ;;
  esac
fi`;
}

export interface NeighbourAnswers extends ArpAnswers {
  /** Whether a second host that answers would have been seen. */
  readonly complete: boolean;
}

export function neighbourAnswers(said: Said, address: string): NeighbourAnswers {
  const [nic = '', via = ''] = (said.all('ndasked').find((line) => line.startsWith(`${address} `)) ?? '').split(' ').slice(1);
  const answers = said.all('nd').flatMap((line) => (line.startsWith(`${address} `) ? [line.slice(address.length + 1)] : []));
  const macs = [...new Set(answers.flatMap((line) => macOf(line, address) ?? []))];
  return { nic, macs, obstacle: obstacleOf(said.first('ndtool'), nic, via), complete: said.first('ndtool') !== 'kernel' };
}

function obstacleOf(tool: string | undefined, nic: string, via: string): ArpAnswers['obstacle'] {
  if (tool === undefined) return 'no-tool';
  if (via === 'local') return 'own-address';
  if (nic === '' || nic === '-') return 'no-route';
  return via === '-' ? '' : 'other-segment';
}

/** `Target link-layer address: 02:…` of ndisc6; `02:… > 02:…, … neighbor advertisement, tgt is fd79::30` of tcpdump; `lladdr 02:…` of ip. */
function macOf(line: string, address: string): string | undefined {
  const found =
    /link-layer address:\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})/i.exec(line)?.[1] ??
    /\blladdr ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})/i.exec(line)?.[1] ??
    (line.includes(`tgt is ${address},`) || line.endsWith(`tgt is ${address}`)
      ? /\b((?:[0-9a-f]{2}:){5}[0-9a-f]{2}) >/i.exec(line)?.[1]
      : undefined);
  return found?.toLowerCase();
}
