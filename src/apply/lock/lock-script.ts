/**
 * Who may change a host: one run at a time. The lock is a folder in /run/lvsctl, so a reboot clears it. Whoever holds it gives a sign of
 * life every few seconds; one that has been silent for a minute, with nothing of its run at work any more, is broken by the next run.
 */
import type { Frozen, Lock, Traces } from '../../model.ts';
import { freezeFile } from '../../probe/traces.ts';
import { alive } from '../../sh/alive.ts';
import { preamble } from '../../sh/frame.ts';
import { quote, renderSh } from '../../sh/sh.ts';
import { clearRun } from '../bundle/run-folder.ts';
import { noteRun } from '../history.ts';

/** Seconds without a sign of life after which a lock counts as left behind. */
const silence = 60;

export type LockOwner = Pick<Lock, 'run' | 'who' | 'command'>;

/** What the look has seen of other runs on the host. */
export type Before = Pick<Traces, 'last' | 'lock'>;

/** Whoever holds it is there, as far as can be seen. */
export function isLive({ left, silent }: Pick<Lock, 'left' | 'silent'>): boolean {
  return !left && silent < silence;
}

/** What the host answers, a line each. */
export type LockAnswer =
  | { readonly kind: 'locked' }
  /** The lock of a run that is no more was taken over. */
  | { readonly kind: 'broken'; readonly lock: Lock }
  | { readonly kind: 'held'; readonly lock: Lock }
  /** Another run has touched the host since it was looked at. */
  | { readonly kind: 'stale'; readonly last: string }
  /** Nothing is to be changed here for now. */
  | { readonly kind: 'frozen'; readonly frozen: Frozen }
  /** Somebody else has the lock now. */
  | { readonly kind: 'lost' };

/** Seconds after which the lock of a run whose line has ended, and that has not come back, counts as left behind: it is waited for. */
export const absence = 15;

/**
 * Takes the lock, unless the host is frozen at `now` (seconds since 1970), or another run has it or was at work since the host was looked at
 * (`before`; undefined: since the lock was ours, which went with its line). Then keeps it for as long as it is told `beat`, and gives it back
 * when it is told `release`; a line that breaks leaves it, with a note of when. `mkdir` alone cannot break a lock without a race: the kernel's
 * flock guards the moment, and lets go of it whatever happens. `9>&9`: mksh hands its own descriptors to no program unless told.
 */
export function lockScript(by: LockOwner, nonce: string, before: Before | undefined, now: number): string {
  const { run, who, command } = by;
  return `{
${preamble}
${words(nonce)}
mkdir -p /run/lvsctl && chmod 700 /run/lvsctl && exec 9>/run/lvsctl/.guard || exit 1
while :; do
  flock 9 9>&9 || exit 1
  owner
  [ -n "$has" ] && [ "$has" != ${quote(run)} ] || break
  ages
  if works "$has"; then tell held; exit 0; fi
  if [ "$silent" -ge ${silence} ] || [ "$gone" -ge ${absence} ]; then tell broken; break; fi
  if [ "$gone" -lt 0 ]; then tell held; exit 0; fi
  flock -u 9 9>&9
  sleep 1
done
${before === undefined ? ':' : unlessFrozen(now)}
${unlessTouched(before ?? restarted, run)}
rm -rf /run/lvsctl/lock && mkdir /run/lvsctl/lock && beat || exit 1
printf '%s\n' ${quote(run)} ${quote(who)} ${quote(command)} >/run/lvsctl/lock/owner && printf '%s\\n' "$$" >/run/lvsctl/lock/holder || exit 1
printf '%s\n' ${quote(run)} >/run/lvsctl/last || exit 1
# What runs that are over have left, and what never became one.
${before === undefined ? ':' : 'rm -rf /run/lvsctl/.new.*'}
for folder in /run/lvsctl/*; do
  case \${folder##*/} in ${quote(run)}-*) continue ;; esac
  [ ! -d "$folder/started" ] || alive "$folder" || { ${clearRun('"$folder"')}; }
done
flock -u 9 9>&9
exec 9>&-
${before === undefined ? ':' : noteRun(by)}
say locked
while read -r word; do
  owner
  [ "$has" = ${quote(run)} ] || { say lost; exit 0; }
  case $word in
    beat) beat ;;
    release)
      rm -rf /run/lvsctl/lock
      exit 0
      ;;
  esac
done
owner
holder=
[ ! -s /run/lvsctl/lock/holder ] || read -r holder </run/lvsctl/lock/holder
# A line that has ended late must not speak for the one that took its place.
[ "$has" != ${quote(run)} ] || [ "$holder" != "$$" ] || { now; printf '%s\n' "$up" >/run/lvsctl/lock/left; }
exit 0
}
`;
}

/** Takes the lock away from a run. Exits 3 when another one has it. */
export function releaseScript(run: string): string {
  return `{
${preamble}
${words('')}
exec 9>/run/lvsctl/.guard && flock 9 9>&9 || exit 1
owner
[ "$has" = ${quote(run)} ] || exit 3
rm -rf /run/lvsctl/lock
exit 0
}
`;
}

/** Times are the host's own, since its boot: they do not jump. */
function words(nonce: string): string {
  return `say() { printf '\n%s %s\n' ${nonce} "$*"; }
now() { read -r up rest </proc/uptime; up=\${up%%.*}; }
beat() { now; printf '%s\n' "$up" >/run/lvsctl/lock/beat.new && mv -f /run/lvsctl/lock/beat.new /run/lvsctl/lock/beat; }
owner() { has=; [ ! -s /run/lvsctl/lock/owner ] || read -r has </run/lvsctl/lock/owner; }
tell() { say "$1 $silent"; while IFS= read -r line; do say "owner $line"; done </run/lvsctl/lock/owner; say .; }
ages() {
  at=0 left=0
  [ ! -s /run/lvsctl/lock/beat ] || read -r at </run/lvsctl/lock/beat
  [ ! -s /run/lvsctl/lock/left ] || read -r left </run/lvsctl/lock/left
  now
  silent=$((up - at)) gone=$((left == 0 ? -1 : up - left))
}
${renderSh(alive, String)}
# Whether anything of that run is at work.
works() {
  for folder in /run/lvsctl/"$1"-*; do ! alive "$folder" || return 0; done
  return 1
}`;
}

/** A run that has begun goes on to its end. */
function unlessFrozen(now: number): string {
  return `ends= by= why=
[ ! -s ${freezeFile} ] || { IFS= read -r ends; IFS= read -r by; IFS= read -r why; } <${freezeFile}
case $ends in '' | *[!0-9]* | ?????????????*) ends=0 ;; esac
if [ "$ends" -gt ${now} ]; then say "frozen $ends"; say "owner $by"; say "owner $why"; say .; exit 0; fi`;
}

/** /run has begun anew: nobody has been there since. */
const restarted: Before = { last: '' };

/**
 * That it was this run itself is no harm: its line broke while it took the lock. A run that was at work during the look has gone on since,
 * though it took the lock before; one that was gone must be gone still, and its lock what is taken over here.
 */
function unlessTouched({ last, lock }: Before, run: string): string {
  const wentOn = !lock ? 'false' : isLive(lock) ? 'true' : `[ "$has" != ${quote(lock.run)} ]`;
  return `seen=
[ ! -s /run/lvsctl/last ] || read -r seen </run/lvsctl/last
if [ "$seen" != ${quote(run)} ] && { [ "$seen" != ${quote(last)} ] || ${wentOn}; }; then say "stale $seen"; exit 0; fi`;
}

/** Reads the answers of `lockScript` line by line; anything else is passed over. */
export function lockAnswers(nonce: string): (line: string) => LockAnswer | undefined {
  let open: { kind: 'held' | 'broken' | 'frozen'; number: number; said: string[] } | undefined;
  return (line) => {
    if (!line.startsWith(`${nonce} `)) return undefined;
    const [word = '', ...rest] = line.slice(nonce.length + 1).split(' ');
    const value = rest.join(' ');
    if (word === 'locked' || word === 'lost') return { kind: word };
    if (word === 'stale') return { kind: word, last: value };
    if (word === 'held' || word === 'broken' || word === 'frozen') open = { kind: word, number: Number(value) || 0, said: [] };
    // Three are all that there are.
    if (word === 'owner' && open && open.said.length < 3) open.said.push(value.slice(0, 1000));
    if (word !== '.' || !open) return undefined;
    const { kind, number, said } = open;
    open = undefined;
    if (kind === 'frozen') return { kind, frozen: { until: number, who: said[0] ?? '', why: said[1] ?? '' } };
    const [run = '', who = '', command = ''] = said;
    return { kind, lock: { run, who, command, silent: number, left: false } };
  };
}
