/**
 * Whose a configuration is. lvsctl's own says so in its first lines; one that a package or a build has brought is nobody's as long as it is as
 * it came; any other is somebody's work, and is not written over unasked (architecture: it is someone else's cluster).
 */
import { type PlanContext, refuse, type Sh, sh } from '../../../task.ts';
import type { SeenFile } from './seen-file.ts';

/** First line of each file of which lvsctl owns every line. */
export const ownHead = '# Managed by lvsctl: changes are overwritten';

/**
 * Prints `as it came` where a file that is not lvsctl's is what its package has brought (dpkg's sums of configuration files; `rpm -V`), or
 * what `make install` of nginx has, which leaves a copy beside it.
 */
export function asItCameProbe(path: string): Sh {
  return sh`p=${path} head=''
[ ! -s "$p" ] || { read -r first; read -r second; head=$first$second; } 2>/dev/null <"$p" || :
case $head in '' | *'Managed by lvsctl'*) ;; *)
  if [ -e "$p.default" ] && cmp -s "$p" "$p.default"; then printf 'as it came\n'
  elif command -v dpkg-query >/dev/null; then
    owner=$(dpkg-query -S "$p" 2>/dev/null) && sum=$(md5sum <"$p") &&
      dpkg-query -W -f '\${Conffiles}\n' "\${owner%%:*}" 2>/dev/null | grep -qxF " $p \${sum%% *}" && printf 'as it came\n'
  elif command -v rpm >/dev/null; then
    owner=$(rpm -qf "$p" 2>/dev/null) && ! rpm -V --nomtime --nomode --nouser --nogroup "$owner" | grep -qF " $p" && printf 'as it came\n'
  fi ;;
esac`;
}

/** Reads what `asItCameProbe` has printed among the rest of an output. */
export function isAsItCame(rest: string): boolean {
  return /^as it came$/m.test(rest);
}

/** Throws `refused` where the file is somebody's work and nobody has said that lvsctl may have it. */
export function refuseForeignFile(seen: SeenFile, path: string, asItCame: boolean, { takeOver }: Pick<PlanContext, 'takeOver'>): void {
  const written = seen.type === 'file' && (seen.content === undefined || seen.content.trim() !== '');
  if (!written || asItCame || takeOver || seen.content?.split('\n', 2).some((line) => line.includes('Managed by lvsctl'))) return;
  throw refuse(
    `${path} is there, and lvsctl has not written it`,
    `"lvsctl plan --take-over --diff" shows what would become of it, "lvsctl deploy --take-over" does it and keeps how it was in /var/lib/lvsctl/before`,
  );
}
