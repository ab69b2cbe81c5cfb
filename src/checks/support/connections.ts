/** Connections to one port, opened and closed again: all that can be asked of a server whose language is not known. */
import { type Sh, sh } from '../../task.ts';

export interface Connections {
  /** Names the answers; a number. */
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly requests: number;
}

/**
 * bash connects by itself, and says nothing to the server. One may take two seconds, all together twenty: what was not tried by then counts
 * as failed. Says `lack ID TOOL`, or `using ID 1`, `got` lines as of requests, status 200 for a connection, `refused ID` and `exit ID 0`.
 */
export function connections({ id, address, port, requests }: Connections): Sh {
  return sh`if ! command -v bash >/dev/null 2>&1; then printf 'lack %s bash\n' ${id}
elif ! command -v timeout >/dev/null 2>&1; then printf 'lack %s timeout\n' ${id}
else
  printf 'using %s 1\n' ${id}
  left=${requests} ends=$(($(date +%s) + 20))
  while [ "$left" -gt 0 ] && [ "$(date +%s)" -lt "$ends" ]; do
    left=$((left - 1))
    timeout 2 bash -c ': <>"/dev/tcp/$1/$2"' tcp ${address} ${port} 2>/dev/null
    case $? in
      0) printf 'got %s 200 1 0 - -\n' ${id} ;;
      124 | 143) printf 'got %s 000 1 0 - -\n' ${id} ;;
      *) printf 'refused %s\ngot %s 000 1 0 - -\n' ${id} ${id} ;;
    esac
  done
  printf 'exit %s 0\n' ${id}
fi`;
}
