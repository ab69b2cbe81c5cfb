/** What the running keepalived says of its VRRP instances and of what they track: master, backup, or in fault and why. */
import { lines, type Sh, sh } from '../../task.ts';
import { waitsForSignal } from '../../tasks/support/keepalived/beliefs.ts';
import { findProcess } from '../../tasks/support/keepalived/process.ts';
import type { Said } from './said.ts';

export interface VrrpStates {
  readonly process: 'none' | 'silent' | 'answered';
  /** Instance → `MASTER`, `BACKUP`, `FAULT`, or what it is in for the moment. */
  readonly states: ReadonlyMap<string, string>;
  /** Names of scripts that fail, and of processes that do not run. */
  readonly failing: { readonly scripts: readonly string[]; readonly processes: readonly string[] };
}

/** Lines of its file → keys of ours. */
const states = [
  ['VRRP Instance', 'instance'],
  ['State', 'state'],
  ['Number of track scripts init', 'untried'],
  ['VRRP Script', 'script'],
  ['Status', 'status'],
  ['VRRP Track process', 'tracked'],
  ['Have quorum', 'quorum'],
] as const;

/**
 * Has keepalived write down what it knows (SIGUSR1), as a plan does to see its virtual servers: there is no other way to ask, and it goes
 * on as if nothing had been. The file holds passwords too; only lines of states leave the host. It counts when it is another than before and
 * has stopped growing.
 */
export const statesProbe: Sh = lines(
  findProcess,
  sh`if [ -z "$pid" ]; then printf 'keepalived none\n'
else`,
  waitsForSignal,
  sh`look() { stat -c '%i %s %z' -- "$dump" 2>/dev/null; }
dump=/proc/$pid/root/tmp/keepalived.data answered='' last=''
before=$(look)
[ "$waited" -ge 50 ] || kill -s USR1 "$pid" 2>/dev/null || waited=50
while [ "$waited" -lt 50 ]; do
  waited=$((waited + 1))
  sleep 0.1 2>/dev/null || { sleep 1; waited=$((waited + 9)); }
  now=$(look)
  if [ -n "$now" ] && [ "$now" != "$before" ] && [ "$now" = "$last" ]; then answered='yes'; break; fi
  last=$now
done
[ ! -L "$dump" ] && [ "$(stat -c %u -- "$dump" 2>/dev/null)" = 0 ] || answered=''
if [ -z "$answered" ]; then printf 'keepalived silent\n'
else
  printf 'keepalived answered\n'
  sed -n ${states.flatMap(([name, key]) => ['-e', `s/^ *${name} = /${key} /p`])} "$dump"
fi
fi`,
);

/** Reads what `statesProbe` said. */
export function statesOf(said: Said): VrrpStates {
  const process = said.first('keepalived');
  const nothing = { states: new Map(), failing: { scripts: [], processes: [] } };
  if (process !== 'answered') return { process: process === 'none' ? 'none' : 'silent', ...nothing };
  const untried = following(said, 'instance', 'untried').flatMap(([name, scripts]) => (Number(scripts) > 0 ? [name] : []));
  return {
    process,
    states: new Map(
      following(said, 'instance', 'state').flatMap(([name, state]) =>
        // Until a script has ended once its instances are in fault, which says nothing yet.
        /^[A-Z]+$/.test(state) ? [[name, state === 'FAULT' && untried.includes(name) ? 'INIT' : state] as const] : [],
      ),
    ),
    failing: {
      scripts: following(said, 'script', 'status').flatMap(([name, status]) => (/^(BAD|FAILED)/.test(status) ? [name] : [])),
      processes: following(said, 'tracked', 'quorum').flatMap(([name, quorum]) => (quorum === 'false' ? [name] : [])),
    },
  };
}

/** Each value of `head` with the first of `word` that comes after it and before the next head of any kind. */
function following(said: Said, head: string, word: string): readonly (readonly [string, string])[] {
  const heads = ['instance', 'script', 'tracked'];
  return said.sequence([...heads, word]).flatMap(([key, name], index, all) => {
    const [next, value = ''] = all[index + 1] ?? [];
    return key === head && next === word ? [[name, value] as const] : [];
  });
}
