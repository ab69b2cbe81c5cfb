/** By which interface a host reaches an address. */
import { type Sh, sh } from '../../task.ts';

/**
 * Sets `dev` (empty: no route) and `via` (empty: on the same segment; `local`: the address is this host's own). One process.
 * `${address}` is one address.
 */
export function routeTo(address: string): Sh {
  return sh`dev='' via='' word=''
for next in $(ip -o route get ${address} 2>/dev/null); do
  case $word in dev) [ -n "$dev" ] || dev=$next ;; via) via=$next ;; esac
  case "$word $next" in " local") via=local ;; esac
  word=$next
done`;
}
