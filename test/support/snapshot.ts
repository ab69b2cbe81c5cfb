/**
 * What a host is made of, as one line per thing, so that two moments can be compared: addresses, kernel settings, the table of IPVS,
 * firewall rules, files, units, packages, accounts, kernel modules. What moves by itself (counters, leases, caches that are made of other
 * files) is left out.
 */

/** Prints the snapshot. POSIX sh, read-only, run by root. */
export const snapshotScript = `LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
each() { sed "s/[[:space:]]*$//; /^$/d; s/^/$1 /"; }

# A machine that has just booted asks for a second whether somebody has its IPv6 addresses.
ip -o address show | sed 's/valid_lft.*//; s/^[0-9]*: //; s/ dynamic//; s/ tentative//' | each address
ip -o link show | sed 's/^[0-9]*: //; s/ qdisc .*//' | each link
for table in 4 6; do ip -$table rule show | each "rule$table"; done
ip route show table all | grep -v ' proto kernel' | each route
ip -6 route show table all | grep -v -e ' proto kernel' -e ' proto ra' | sed 's/ expires [0-9]*sec//' | each route6

# Outside of net, what tuning sets: much of the rest moves by itself.
sysctl -a 2>/dev/null | grep -e '^net\\.' -e '^kernel\\.panic ' -e '^vm\\.swappiness ' |
  grep -v -e '^net\\.netfilter\\.nf_conntrack_count ' -e '\\.stable_secret ' -e '^net\\.ipv4\\.tcp_fastopen_key ' -e '^net\\.core\\.netdev_rss_key ' \\
    -e '^net\\.ipv4\\.tcp_mem ' -e '^net\\.ipv4\\.udp_mem ' -e '^net\\.ipv4\\.inet_peer_threshold ' \\
    -e 'hash_entries ' -e '^net\\.ipv4\\.tcp_max_orphans ' -e '^net\\.ipv4\\.tcp_max_tw_buckets ' |
  # Of how much memory there was at boot, to the byte.
  awk '$1 ~ /^net\\.ipv4\\.tcp_[rw]mem$/ { $5 = int($5 / 1048576) " MiB" } { print }' |
  each sysctl
hostname | each hostname
if [ -e /proc/net/ip_vs ]; then sed 's/[[:space:]]*[0-9]*[[:space:]]*[0-9]*[[:space:]]*$//; 1,3d' /proc/net/ip_vs | each ipvs; fi
if command -v nft >/dev/null 2>&1; then nft list ruleset 2>/dev/null | sed 's/counter packets [0-9]* bytes [0-9]*/counter/; s/ # handle.*//' | each nft; fi
for table in iptables ip6tables; do
  # Asked only where it is in use already: listing would load the module.
  if [ -s "/proc/net/$(printf %s "$table" | sed 's/tables/_tables_names/')" ] && command -v "$table-save" >/dev/null 2>&1; then
    "$table-save" 2>/dev/null | sed '/^#/d; s/\\[[0-9]*:[0-9]*\\]//' | each "$table"
  fi
done
if command -v firewall-cmd >/dev/null 2>&1 && firewall-cmd --state >/dev/null 2>&1; then
  firewall-cmd --list-all-zones | each 'firewalld live'
  firewall-cmd --permanent --list-all-zones | each 'firewalld permanent'
fi

# Of files: kind and mode, owner, path, target of a link; then the sum of what is in them.
places=
for place in /etc /usr/local /usr/sbin /usr/lib/systemd/system /usr/lib/sysctl.d /usr/lib/modules-load.d /opt /srv /root /home \\
  /var/lib/keepalived /var/lib/lvsctl /var/cache/lvsctl /var/lib/nginx /var/log/nginx /var/www /var/spool/cron; do
  [ ! -e "$place" ] || places="$places $place"
done
kept() {
  # shellcheck disable=SC2086 # the places above, one word each
  find $places -xdev \\( -path /etc/ld.so.cache -o -path /etc/mtab -o -path /etc/adjtime -o -path /etc/.pwd.lock -o -path '/etc/*-' \\
    -o -path /etc/.updated -o -path '/etc/ssl/certs/*' -o -path '/etc/fstab.d' -o -name .bash_history -o -path /root/.cache \\) -prune -o "$@"
}
kept -printf 'file %M %u:%g %p%l\\n'
kept -type f -exec sha256sum {} + | sed 's/^/content /'

# By the files alone: over the bus the answer may take longer than the bus waits, on a slow machine.
systemctl --root=/ list-unit-files --no-legend --no-pager 2>/dev/null | awk '{ print "unit-file", $1, $2 }'
systemctl list-units --all --plain --no-legend --no-pager --type=service,timer,socket,mount,path 2>/dev/null |
  awk '$3 == "active" || $3 == "failed" { print "unit", $1, $2, $3 }' |
  grep -v -E '^unit (session-|user@|user-runtime-dir@|run-|lvsctl-[0-9a-z-]*(run|[0-9])|sshd?@|systemd-(hostnamed|timedated|localed|logind|tmpfiles-clean|networkd-wait-online)|apt-daily|polkit|packagekit)'
if command -v dpkg-query >/dev/null 2>&1; then dpkg-query -W -f 'package \${Package}:\${Architecture} \${Version} \${Status}\\n'; fi
if command -v apt-mark >/dev/null 2>&1; then { apt-mark showhold | each hold; apt-mark showmanual | each manual; }; fi
if command -v rpm >/dev/null 2>&1; then rpm -qa | each package; fi
each passwd </etc/passwd
each group </etc/group
# Those that ss loads to ask for sockets are nobody's.
sed 's/ .*//' /proc/modules | grep -v '_diag$' | each module
sed -E '/^(proc|sysfs|cgroup2?|tmpfs|devpts|devtmpfs|mqueue|bpf|ramfs) /d; /\\/run\\/user\\//d' /proc/self/mounts | each mount
:`;

/** `- LINE` for what is there no more, `+ LINE` for what was not there; empty when both are the same. */
export function compareSnapshots(before: string, after: string): readonly string[] {
  const [old, now] = [countLines(before), countLines(after)];
  const texts = [...new Set([...old.keys(), ...now.keys()])].sort();
  return texts.flatMap((text) => {
    const gained = (now.get(text) ?? 0) - (old.get(text) ?? 0);
    return Array.from({ length: Math.abs(gained) }, () => `${gained > 0 ? '+' : '-'} ${text}`);
  });
}

/** Each line with how often it is there: rules of a firewall may repeat. */
function countLines(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n').filter((line) => line !== '')) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
