/** Datagrams to one port, each from a new port of this host, so that each is scheduled anew; and what comes back. */
import { type Sh, sh } from '../../task.ts';

export interface Datagrams {
  /** Names the answers; a number. */
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly requests: number;
  /** Hexadecimal bytes. */
  readonly payload?: string | undefined;
  /** Names to look for in answers, as whole words. */
  readonly markers: readonly string[];
}

/**
 * bash can open UDP sockets by itself, curl and the other shells cannot; dd reads one datagram whole. At most 20 s in all: what was not
 * asked by then counts as failed. Lines as of requests over TCP, status 200 for any answer; the source is `-`, whichever the host takes.
 */
const program = `id=$1 address=$2 port=$3 requests=$4 bytes=$5
shift 5
for ((i = 0; i < requests && SECONDS < 20; i++)); do
  began=\${EPOCHREALTIME/[^0-9]/}
  answer=$(exec 3<>"/dev/udp/$address/$port" && printf "$bytes" >&3 && timeout 2 dd bs=65536 count=1 <&3 | tr -d '\\0'; printf .)
  ended=\${EPOCHREALTIME/[^0-9]/}
  answer=\${answer%.} found='' place=0 status=200
  [ -n "$answer" ] || status=000
  for name in "$@"; do
    place=$((place + 1))
    if [[ " $answer " =~ [^A-Za-z0-9_-]"$name"[^A-Za-z0-9_-] ]]; then found=$found\${found:+,}$place; fi
  done
  took=$((\${ended:-0} - \${began:-0}))
  printf 'got %s %s 1 %d.%06d %s -\\n' "$id" "$status" $((took / 1000000)) $((took % 1000000)) "\${found:--}"
done 2>/dev/null`;

/** Says `lack ID TOOL`, or `using ID 1`, `got` lines and `exit ID 0`. Read it with `answersOf`. */
export function datagrams({ id, address, port, requests, payload, markers }: Datagrams): Sh {
  const bytes = (payload?.match(/../g) ?? []).map((byte) => `\\x${byte}`).join('') || 'lvsctl\\n';
  return sh`if ! command -v bash >/dev/null 2>&1; then printf 'lack %s bash\n' ${id}
elif ! command -v timeout >/dev/null 2>&1; then printf 'lack %s timeout\n' ${id}
else
  printf 'using %s 1\n' ${id}
  bash -c ${program} udp ${id} ${address} ${port} ${requests} ${bytes} ${markers}
  printf 'exit %s 0\n' ${id}
fi`;
}

const types: Readonly<Record<string, number>> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };

/** A question of DNS for a name (`.`: the root), in hexadecimal. */
export function dnsQuestion(name: string, type: string): string {
  const labels = name.split('.').filter((label) => label !== '');
  const body = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from('6c7601000001000000000000', 'hex');
  return Buffer.concat([header, ...body, Buffer.from([0, 0, types[type.toUpperCase()] ?? 6, 0, 1])]).toString('hex');
}
