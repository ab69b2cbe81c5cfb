/** What the kernel's sync daemon of a director does, and what came of it. */
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface SyncDaemon {
  readonly role: 'master' | 'backup';
  readonly interface: string;
  readonly syncId: number;
}

export interface SyncSeen {
  readonly daemons: readonly SyncDaemon[];
  /** Seconds since the backup's daemon was started; absent: not told. */
  readonly age?: number;
  /** Connections over TCP; absent: the kernel does not list where they come from. */
  readonly connections?: {
    /** Scheduled here, and being closed: the master sends each of them, whereas of open ones it sends some, in time. */
    readonly closing: number;
    /** Heard from a master. */
    readonly synced: number;
  };
}

/** Says `missing ipvsadm`, or its exit code as `daemons CODE`, `daemon` lines and `age SECONDS`. */
export const daemonProbe: Sh = sh`if ! command -v ipvsadm >/dev/null 2>&1; then printf 'missing ipvsadm\n'
else
  printf 'daemons %s\n' "$(ipvsadm -L --daemon >/dev/null 2>&1; echo $?)"
  ipvsadm -L --daemon 2>/dev/null | while IFS= read -r line; do printf 'daemon %s\n' "$line"; done
fi
comm=$(grep -ls '^ipvs-b:' /proc/[0-9]*/comm | head -n 1)
if [ -n "$comm" ]; then
  { read -r up _ </proc/uptime && awk -v up="$up" '{ printf "age %d\\n", up - $22 / 100 }' "\${comm%comm}stat"; } 2>/dev/null
fi`;

/** Says `connections CLOSING SYNCED` of a list as the kernel keeps it in /proc/net/ip_vs_conn_sync. */
export function countConnections(list: string): Sh {
  return sh`[ ! -r ${list} ] || awk '
  $1 == "TCP" && $9 == "SYNC" { synced++ }
  $1 == "TCP" && $9 == "LOCAL" && $8 ~ /^(FIN_WAIT|TIME_WAIT|CLOSE_WAIT)$/ { closing++ }
  END { printf "connections %d %d\\n", closing, synced }' ${list}`;
}

/** `undefined` where ipvsadm could not tell. */
export function syncSeen(said: Said): SyncSeen | undefined {
  if (said.first('daemons') !== '0') return undefined;
  const age = said.first('age');
  const [, closing, synced] = /^(\d+) (\d+)$/.exec(said.first('connections') ?? '') ?? [];
  return {
    daemons: said.all('daemon').flatMap(daemonOf),
    ...(age !== undefined && /^\d+$/.test(age) && { age: Number(age) }),
    ...(synced !== undefined && { connections: { closing: Number(closing), synced: Number(synced) } }),
  };
}

/** `master sync daemon (mcast=eth0, syncid=65, maxlen=1472)`. */
function daemonOf(line: string): readonly SyncDaemon[] {
  const [, role, nic = '', syncId] = /^(master|backup) sync daemon \(mcast=([^,]+), syncid=(\d+)/.exec(line) ?? [];
  return role === 'master' || role === 'backup' ? [{ role, interface: nic, syncId: Number(syncId) }] : [];
}
