/** What earlier runs of lvsctl have left on a host, read by the same script as everything else: who holds it, what still runs there, what waits. */
import type { Output, Traces } from '../model.ts';
import { alive } from '../sh/alive.ts';
import { lines, type Sh, sh } from '../sh/sh.ts';

/** Where a run notes, before a change, which handlers must follow it. */
export const pendingFolder = '/var/lib/lvsctl/pending';

/** Until when nothing is to be changed here, who says so, and why: a line each. It outlives a reboot. */
export const freezeFile = '/var/lib/lvsctl/freeze';

/** `up` is the host's own clock: it does not jump, and it begins anew where /run does. */
export const tracesProbe: Sh = lines(
  alive,
  sh`read -r up rest </proc/uptime
if cd /run/lvsctl 2>/dev/null; then
  [ ! -s last ] || { read -r id <last && printf 'last %s\n' "$id"; }
  if [ -s lock/owner ] && [ -s lock/beat ]; then
    read -r beat <lock/beat
    printf 'lock %s\n' "$((\${up%%.*} - \${beat%%.*}))"
    [ ! -s lock/left ] || printf 'left\n'
    while IFS= read -r line; do printf 'owner %s\n' "$line"; done <lock/owner
  fi
  for run in *; do
    alive "$run" || continue
    printf 'run %s\n' "$run"
    [ ! -s "$run/nonce" ] || { read -r id <"$run/nonce" && printf 'nonce %s\n' "$id"; }
    [ ! -s "$run/titles" ] || while IFS= read -r line; do printf 'title %s\n' "$line"; done <"$run/titles"
  done
fi
[ ! -d /var/lib/lvsctl/before ] || printf 'known here\n'
[ ! -s ${freezeFile} ] || while IFS= read -r line; do printf 'frozen %s\n' "$line"; done <${freezeFile}
if cd ${pendingFolder} 2>/dev/null; then
  for each in *; do [ ! -f "$each" ] || printf 'pending %s\n' "$each"; done
fi`,
);

/** What is missing or has another form is left out: a strange host has no traces. */
export function parseTraces({ stdout }: Output): Traces {
  const said = stdout.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return space < 0 ? (['', ''] as const) : ([line.slice(0, space), line.slice(space + 1)] as const);
  });
  const all = (key: string): readonly string[] => said.filter(([name]) => name === key).map(([, value]) => value);
  const [until = '', frozenBy = '', why = ''] = all('frozen');
  const silent = Number(all('lock')[0]);
  const [run = '', who = '', command = ''] = all('owner');
  const runs: { id: string; nonce: string; titles: string[] }[] = [];
  for (const [key, value] of said) {
    if (key === 'run') runs.push({ id: value, nonce: '', titles: [] });
    const last = runs.at(-1);
    if (key === 'nonce' && last) last.nonce = value;
    if (key === 'title') last?.titles.push(value);
  }
  return {
    last: all('last')[0] ?? '',
    ...(Number.isFinite(silent) &&
      run !== '' && { lock: { run, who, command, silent: Math.max(0, silent), left: /^left$/m.test(stdout) } }),
    running: runs.filter(({ nonce }) => /^lvsctl-[0-9a-f]{24}$/.test(nonce)),
    known: all('known').length > 0,
    pending: all('pending').flatMap(decoded),
    ...(/^\d{1,12}$/.test(until) && { frozen: { until: Number(until), who: frozenBy, why } }),
  };
}

/** Names of handlers are written so that any can be the name of a file. */
export function pendingFile(handler: string): string {
  return encodeURIComponent(handler).replace(/\./g, '%2E');
}

function decoded(file: string): readonly string[] {
  try {
    return [decodeURIComponent(file)];
  } catch {
    return [];
  }
}
