/**
 * Whether somebody else keeps what lvsctl keeps here: what two keep differently changes back and forth, and takes services down on the way.
 * Files that come with packages are known; what is only mentioned in a comment does not count.
 */
import { z } from 'zod';
import type { Fleet } from '../model.ts';
import { defineCheck, type Finding, type Host, type Look, lines, type Sh, sh } from '../task.ts';
import { excerpt, fail, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, type Said, telling } from './support/said.ts';

export default defineCheck({
  summary:
    'Nobody else manages what lvsctl does: no Puppet, no cron job, no script at boot, no second keepalived and no older cluster manager has to do with keepalived, IPVS or the VIPs.',
  params: z.strictObject({}),
  from: ['director', 'backend'],
  probe: (_, __, fleet) => telling(cronProbe(fleet), bootProbe(fleet), puppetProbe, processProbe, pacemakerProbe(fleet)),
  expect: (looks, _, { fleet }) =>
    looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judge(look, fleet)),
  example: {},
});

/** An address as a pattern that does not match a longer one. */
const whole = (address: string): string => `(^|[^0-9a-fA-F.:])${address.replaceAll('.', '\\.')}($|[^0-9a-fA-F.:])`;

const vipsOf = (fleet: Fleet): readonly string[] => [...new Set([...fleet.vips, ...fleet.virtualAddresses.map(({ address }) => address)])];

/** What a line of somebody's would have in it. */
function anyOf(fleet: Fleet, words: readonly string[]): string {
  return [...words, ...vipsOf(fleet).map(whole)].join('|');
}

/** `KEY FILE:LINE` for what grep has found, but for comments and for files that cron passes over or lvsctl has written. */
const showing = sh`show() {
  grep -vE '^[^:]*:[[:space:]]*#' | head -n 20 | while IFS= read -r line; do
    case \${line%%:*} in *.dpkg-* | *.rpm* | *~ | /etc/cron.d/lvsctl-*) ;; *) printf '%s %s\n' "$1" "$line" ;; esac
  done
}`;

/**
 * Tables of cron, and the small scripts that root's name. Whoever has a table, or a folder with a script in it, could have root read
 * another file and show lines of it: links are not followed, and all on the way to a script must be root's (or of whom `/` is).
 */
function cronProbe(fleet: Fleet): Sh {
  const words = anyOf(fleet, ['keepalived', 'ipvsadm', 'arp_ignore', 'arp_announce']);
  return lines(
    showing,
    sh`roots() (
  dir=$(cd -P -- "\${1%/*}/" 2>/dev/null && pwd -P) || exit 1
  path=\${dir%/}/\${1##*/}; set -- /
  while [ -n "$path" ]; do set -- "$@" "$path"; path=\${path%/*}; done
  [ "$(find "$@" -maxdepth 0 '(' -uid 0 -o -uid "$top" ')' ! -type l ! '(' -perm -002 ! -perm -1000 ')' 2>/dev/null | grep -c .)" -eq $# ]
)
set -- /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* /var/spool/cron/root /var/spool/cron/crontabs/root
top=$(stat -c %u /)
grep -IHsE ${words} "$@" /var/spool/cron/* /var/spool/cron/crontabs/* | sort -u | show cron
grep -IshvE '^[[:space:]]*#' "$@" | grep -oE '/[A-Za-z0-9_./-]+' | sort -u | head -n 200 |
  xargs -r sh -c 'find "$@" -maxdepth 0 -type f -perm /111 -size -64k 2>/dev/null' sh |
  while IFS= read -r file; do ! roots "$file" || printf '%s\n' "$file"; done | xargs -r grep -IHsE ${words} | show called`,
  );
}

/** What runs at boot without being a unit: rc.local, and scripts of init that are on. Those of the packages name no address. */
function bootProbe(fleet: Fleet): Sh {
  return sh`for file in /etc/rc.local /etc/rc.d/rc.local /etc/rc3.d/S*; do [ ! -x "$file" ] || printf '%s\n' "$file"; done |
  xargs -r grep -IHsE ${anyOf(fleet, ['ipvsadm -A', 'arp_ignore', 'arp_announce'])} | show boot`;
}

/** Puppet writes down what its last catalog kept; one that has not run for a week keeps nothing. */
const puppetProbe = sh`for file in /opt/puppetlabs/puppet/cache/state/resources.txt /var/lib/puppet/state/resources.txt /var/cache/puppet/state/resources.txt; do
  [ -n "$(find "$file" -mtime -7 2>/dev/null)" ] || continue
  grep -sE '^(file|service|package)[[](/etc/keepalived(/.*)?|keepalived|ipvsadm)[]]' "$file" | head -n 5 | while IFS= read -r line; do printf 'puppet %s\n' "$line"; done
done`;

/** Of the same network: a container may have a keepalived of its own. */
const processProbe = sh`own=$(readlink /proc/self/ns/net)
printf 'network %s\n' "$own"
for each in /proc/[0-9]*; do
  comm=''
  { read -r comm <"$each/comm"; } 2>/dev/null || continue
  case $comm in
    ldirectord | pulse | nanny) printf 'manager %s\n' "$comm" ;;
    keepalived)
      parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$each/status" 2>/dev/null)
      above=''
      { read -r above <"/proc/$parent/comm"; } 2>/dev/null || :
      [ "$above" = keepalived ] || [ "$(readlink "$each/ns/net")" != "$own" ] || printf 'keepalived %s\n' "\${each#/proc/}"
      ;;
  esac
done`;

function pacemakerProbe(fleet: Fleet): Sh {
  return sh`! grep -sqE ${anyOf(fleet, [])} /var/lib/pacemaker/cib/cib.xml || printf 'manager pacemaker\n'`;
}

const expected = 'nobody but lvsctl keeps keepalived, IPVS, the VIPs or their ARP here';

function judge(look: Look, fleet: Fleet): readonly Finding[] {
  const said = heard(look);
  if (!said?.first('network')) return [unreadable(look, expected)];
  const failures = [...scripts(look.host, said), ...managers(look.host, said), ...keepaliveds(look.host, said, fleet)];
  return failures.length > 0 ? failures : [pass(look.host.name, 'no other manager was found', expected)];
}

function scripts({ name }: Host, said: Said): readonly Finding[] {
  const found = (key: string, what: string, fix: (file: string) => string): readonly Finding[] =>
    said.all(key).map((line) => {
      const colon = line.indexOf(':');
      const file = line.slice(0, colon);
      return fail(name, `${what} ${file}: ${excerpt(line.slice(colon + 1), 100)}`, expected, fix(file));
    });
  return [
    ...found('cron', 'cron', (file) => `take the line out of ${file} on ${name}`),
    ...found('called', 'cron runs', (file) => `take what runs ${file} out of cron on ${name}`),
    ...found('boot', 'at boot', (file) => `take the line out of ${file} on ${name}; what lvsctl deploys is there after a boot without it`),
    ...said.all('puppet').map((line) => {
      const fix = `keep it with one of them: take ${line} out of what Puppet keeps on ${name}`;
      return fail(name, `Puppet keeps ${excerpt(line)}`, expected, fix);
    }),
  ];
}

function managers({ name }: Host, said: Said): readonly Finding[] {
  return [...new Set(said.all('manager'))].map((manager) => {
    const stop =
      manager === 'pacemaker' ? `take the VIP out of pacemaker's resources on ${name}` : `stop and disable ${manager} on ${name}`;
    return fail(name, manager === 'pacemaker' ? 'pacemaker has a VIP among its resources' : `${manager} runs`, expected, stop);
  });
}

function keepaliveds({ name, role }: Host, said: Said, fleet: Fleet): readonly Finding[] {
  const pids = said.all('keepalived');
  const own = role === 'director' && fleet.vrrp !== undefined ? 1 : 0;
  if (pids.length <= own) return [];
  const what =
    own === 1 ? `${pids.length} keepalived run, with PID ${pids.join(' and ')}` : `keepalived runs, with PID ${pids.join(' and ')}`;
  const fix =
    own === 1
      ? `end the one that systemctl status keepalived does not show, and what starts it, on ${name}`
      : `systemctl disable --now keepalived on ${name}`;
  return [fail(name, what, expected, fix)];
}
