/** How firewalld was before a rule was added to it, and the way back: each rule by itself, so that rules of others stay. */
import { type Before, lines, type Sh, sh } from '../../../task.ts';
import type { Admissions } from './firewalld-changes.ts';
import { policyBefore } from './firewalld-replies.ts';

interface Directly {
  readonly direct: readonly Pick<Admissions['direct'][number], 'words'>[];
}

export function firewalldBefore({ rules, direct, replies }: Pick<Admissions, 'rules' | 'replies'> & Directly): readonly Before[] {
  return [
    ...rules.map(({ kind, rule }) =>
      before(
        `${kind} ${rule}`,
        kind === 'port' ? zonesWithPort(rule) : zonesWithRule(rule),
        sh`ask "$when" ${`--remove-${kind}=${rule}`} --zone="$place"`,
      ),
    ),
    ...[...direct, ...replies].map(({ words }) => {
      const there = sh`holders() { if ask "$1" --direct --get-all-rules | grep -qxF -- ${words.join(' ')}; then printf 'direct\n'; fi; }`;
      return before(`direct ${words.join(' ')}`, there, sh`ask "$when" --direct --remove-rule ${words}`);
    }),
    ...policyBefore(replies),
  ];
}

const ask = sh`ask() { # WHEN WORDS
  when=$1
  shift
  if [ "$when" = persisted ]; then firewall-cmd --permanent "$@"; else firewall-cmd "$@"; fi
}
runs() { [ -d /run/systemd/system ] && systemctl is-active -q firewalld.service; }`;

/** Prints the zones that have it. Fields of a zone begin two blanks in; rich rules have a line each, behind a tab. */
function zonesWith(pattern: Sh): Sh {
  return sh`holders() { # WHEN
  zone=''
  ask "$1" --list-all-zones | while IFS= read -r line; do
    case $line in
      ${pattern}
      ' '* | '	'*) ;;
      *) zone=\${line%% *} ;;
    esac
  done
}`;
}

function zonesWithPort(port: string): Sh {
  return zonesWith(sh`'  ports: '*) case " \${line#*: } " in *' '${port}' '*) printf '%s\n' "$zone" ;; esac ;;`);
}

function zonesWithRule(rule: string): Sh {
  return zonesWith(sh`'	'${rule} | '	'${rule}' ') printf '%s\n' "$zone" ;;`);
}

/**
 * The files `live` and `persisted` hold the places that had it, a line each: those are not ours. Without firewalld nothing can be seen;
 * where it did not run at first (no file `ran`), and does not now, nothing is ours.
 */
function before(name: string, holders: Sh, remove: Sh): Before {
  const functions = lines(ask, holders, sh`added() { holders "$1" | grep -vxF -f "./$1"; }`);
  return {
    resource: `firewall:firewalld ${name}`,
    record: lines(
      functions,
      sh`if runs; then : >ran; fi
for each in live persisted; do if runs; then holders "$each"; fi >"$each"; done`,
    ),
    differs: lines(functions, sh`if runs; then [ -n "$(added live)$(added persisted)" ]; else [ -e ran ]; fi`),
    restore: lines(
      functions,
      sh`runs || { printf 'firewalld does not run\n'; exit 1; }
for each in live persisted; do
  added "$each" | while IFS= read -r place; do
    when=$each
    : "$place"
    ${remove} || exit 1
  done || exit 1
done`,
    ),
  };
}
