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
 * bash can open UDP sockets by itself, curl and the other shells cannot. Forty at a time; `read -t 0` says whether there is an answer, and dd
 * takes it whole: a `read` that waits for more until its time is over may lose, on a busy host, what it has read by then. An answer may
 * take two seconds, all together twenty: what was not asked by then counts as failed. Lines as of requests over TCP, status 200 for any
 * answer; the source is `-`, whichever address the host takes.
 */
const program = `LC_ALL=C id=$1 address=$2 port=$3 requests=$4 bytes=$5
shift 5
# Where nothing is asked, nothing ever comes: to wait for that costs no process.
exec {still}<>"/dev/udp/$address/$port"
while ((requests > 0 && SECONDS < 20)); do
  sockets=()
  for ((; requests > 0 && \${#sockets[@]} < 40; requests--)); do
    if exec {fd}<>"/dev/udp/$address/$port"; then
      printf "$bytes" >&$fd
      sockets+=($fd)
    else printf 'got %s 000 1 0 - -\\n' "$id"; fi
  done
  limit=$((SECONDS + 2))
  for fd in "\${sockets[@]}"; do
    until read -r -t 0 -u $fd || ((SECONDS > limit)); do read -r -t 0.05 -u $still; done
    answer=''
    ! read -r -t 0 -u $fd || answer=$(dd bs=65536 count=1 <&$fd)
    exec {fd}>&-
    found='' place=0 status=200
    [ -n "$answer" ] || status=000
    for name in "$@"; do
      place=$((place + 1))
      if [[ " $answer " =~ [^A-Za-z0-9_-]"$name"[^A-Za-z0-9_-] ]]; then found=$found\${found:+,}$place; fi
    done
    printf 'got %s %s 1 0 %s -\\n' "$id" "$status" "\${found:--}"
  done
done 2>/dev/null`;

/** Says `lack ID bash`, or `using ID 1`, `got` lines and `exit ID 0`. Read it with `answersOf`. */
export function datagrams({ id, address, port, requests, payload, markers }: Datagrams): Sh {
  const bytes = (payload?.match(/../g) ?? []).map((byte) => `\\x${byte}`).join('') || 'lvsctl\\n';
  return sh`if ! command -v bash >/dev/null 2>&1; then printf 'lack %s bash\n' ${id}
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
