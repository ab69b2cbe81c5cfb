/** How booleans and labels of ports were before the first change, and the way back. */
import { type Before, lines, type Sh, sh } from '../../../task.ts';
import { localSettings } from './store.ts';

/**
 * `live` and `kept` are 1 or 0. Where nobody had kept one it was as the policy has it, and as the last boot made it: which of the two shows
 * afterwards no one can tell, so what was live is kept.
 */
export function booleanBefore(name: string): Before {
  const states = lines(
    localSettings,
    sh`live() { read -r state _ <${`/sys/fs/selinux/booleans/${name}`} || :; printf '%s\n' "$state"; }
kept() { sed -n ${`s/^${name}=//p`} "$local/booleans.local" 2>/dev/null; }`,
  );
  return {
    resource: `selinux:boolean ${name}`,
    record: lines(states, sh`live >./value && { kept | grep . || cat ./value; } >./kept`),
    differs: lines(states, sh`now=$(kept); [ "$(live)" != "$(cat ./value)" ] || [ "\${now:-$(cat ./kept)}" != "$(cat ./kept)" ]`),
    restore: lines(
      states,
      sh`setsebool -P ${name} "$(cat ./kept)" || exit 1
[ "$(live)" = "$(cat ./value)" ] || setsebool ${name} "$(cat ./value)"`,
    ),
  };
}

/** `value` is the type that somebody had given the port here; empty: it had the policy's. */
export function portBefore({ port, protocol }: { readonly port: number; readonly protocol: 'tcp' | 'udp' }): Before {
  const type = lines(localSettings, sh`type_here() { ${localType(protocol, port)}; }`);
  return {
    resource: `selinux:port ${protocol}/${port}`,
    record: lines(type, sh`type_here >./value`),
    differs: lines(type, sh`[ "$(type_here)" != "$(cat ./value)" ]`),
    restore: lines(
      type,
      sh`command -v semanage >/dev/null || { printf '%s\n' 'there is no semanage; install policycoreutils-python-utils'; exit 1; }
type=$(cat ./value)
if [ -z "$type" ]; then semanage port -d -p ${protocol} ${port}
elif [ -n "$(type_here)" ]; then semanage port -m -t "$type" -p ${protocol} ${port}
else semanage port -a -t "$type" -p ${protocol} ${port}
fi`,
    ),
  };
}

function localType(protocol: string, port: number): Sh {
  return sh`sed -n ${`s/^portcon ${protocol} ${port} [^: ]*:[^: ]*:\\([^: ]*\\).*/\\1/p`} "$local/ports.local" 2>/dev/null || :`;
}
