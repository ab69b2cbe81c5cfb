/** A run's folder on its host, in /run/lvsctl, root-only: laid out whole or not at all, started once, followed, and taken up again. */
import { alive } from '../../sh/alive.ts';
import { quote, renderSh } from '../../sh/sh.ts';

export interface RunFile {
  readonly name: string;
  readonly text: string;
}

/** Exit code of a script that finds no run where it should take one up: it never got there, or the host was restarted. */
export const noSuchRun = 3;

export function runFolder(id: string): string {
  return `/run/lvsctl/${quote(id)}`;
}

/** A second try, while the first one's shell may still be at it, loses the race or wins it, and nothing is ever mixed. */
export function layOut(folder: string, files: readonly RunFile[]): string {
  const put = ({ name, text }: RunFile): string => `put ${quote(text)} >"$new"/${name} || full`;
  // Where printf is a program (mksh), what it is given would show in `ps`; `print` is built in there.
  return `put() { if [ "$(command -v printf)" = printf ]; then printf %s "$1"; else print -rn -- "$1"; fi; }
mkdir -p /run/lvsctl && chmod 700 /run/lvsctl || exit 1
if [ ! -d ${folder} ]; then
new=/run/lvsctl/.new.$$
full() { rm -rf "$new"; exit 1; }
rm -rf "$new" && mkdir "$new" || full
${files.map(put).join('\n')}
mv -T "$new" ${folder} 2>/dev/null || rm -rf "$new"
[ -d ${folder} ] || exit 1
fi`;
}

/** Takes the folder of a run away that is no more; one that was ended by force still has the memory for its logs. */
export function clearRun(folder: string): string {
  return `[ ! -d ${folder}/logs ] || umount -l ${folder}/logs 2>/dev/null; rm -rf ${folder}`;
}

/** The runner itself makes sure that it is the only one (it makes `started`): a start too many does nothing. */
export function startOnce(id: string): string {
  const folder = runFolder(id);
  return `if [ ! -d ${folder}/started ]; then
if [ -d /run/systemd/system ]; then
systemd-run --quiet --collect --unit=lvsctl-${quote(id)} -p KillMode=process sh ${folder}/runner || [ -d ${folder}/started ] || exit 1
else
setsid sh ${folder}/runner </dev/null >/dev/null 2>&1 &
fi
fi`;
}

/**
 * Prints a line that says so, then the journal from a byte offset on, until stdin ends: the line may break at any time and be taken up
 * again. The word `finished` on stdin says that the journal was read to its end and the folder may go; `stop`, that nothing more is to be
 * begun. A runner that is no more without having finished (killed, out of memory) is told by a line `gone`.
 */
export function follow(folder: string, nonce: string, offset: number): string {
  return `${renderSh(alive, String)}
printf '\\n%s journal\\n' ${nonce}
tail -c +${offset + 1} -f ${folder}/journal &
tail=$!
rounds=0
while sleep 1 </dev/null >/dev/null 2>&1; do
rounds=$((rounds + 1))
! alive ${folder} || continue
# It may not have begun yet.
[ -s ${folder}/started/pid ] || [ ! -d ${folder} ] || [ "$rounds" -gt 30 ] || continue
sleep 1 </dev/null >/dev/null 2>&1
grep -q '^${nonce} finished' ${folder}/journal 2>/dev/null || printf '\\n%s gone\\n' ${nonce}
break
done &
watch=$!
while read -r word && [ "$word" = stop ]; do printf '' >${folder}/stop; done
kill $tail $watch 2>/dev/null
[ "$word" != finished ] || { ${clearRun(folder)}; }`;
}
