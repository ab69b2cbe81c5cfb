/** What a host is: read by the first fragment of every probe script, with two processes. */
import type { Facts, Output } from '../model.ts';
import { type Sh, sh } from '../sh/sh.ts';

export const factsProbe: Sh = sh`
while IFS= read -r line; do printf 'os %s\n' "$line"; done </etc/os-release
read -r name </proc/sys/kernel/hostname && printf 'hostname %s\n' "$name"
read -r release </proc/sys/kernel/osrelease && printf 'kernel %s\n' "$release"
while read -r key amount unit; do [ "$key" != MemTotal: ] || printf 'memory %s\n' "$amount"; done </proc/meminfo
while read -r key rest; do [ "$key" != processor ] || printf 'cpu\n'; done </proc/cpuinfo
for manager in apt-get dnf; do ! command -v "$manager" >/dev/null || printf 'packages %s\n' "$manager"; done
[ ! -d /run/systemd/system ] || printf 'init systemd\n'
mode=''
[ ! -r /sys/fs/selinux/enforce ] || read -r mode </sys/fs/selinux/enforce || :
printf 'selinux %s\n' "$mode"
for nic in /sys/class/net/*; do
  [ ! -r "$nic/address" ] || { read -r mac <"$nic/address"; printf 'mac %s %s\n' "\${nic##*/}" "$mac"; }
done
printf 'machine %s\n' "$(uname -m)"
ip -o addr show 2>/dev/null | while read -r number name family address rest; do printf 'address %s %s\n' "$name" "$address"; done
`;

/** Facts from the fragment's output; what is missing there stays empty, so a strange host is planned for cautiously. */
export function parseFacts(output: Output): Facts {
  const said = output.stdout.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return space < 0 ? ([line, ''] as const) : ([line.slice(0, space), line.slice(space + 1)] as const);
  });
  const all = (key: string): readonly string[] => said.filter(([name]) => name === key).map(([, value]) => value);
  const first = (key: string): string => all(key)[0] ?? '';
  const os = new Map(all('os').map((line) => [line.split('=', 1)[0] ?? '', unquote(line.slice(line.indexOf('=') + 1))]));
  return {
    hostname: first('hostname'),
    distribution: os.get('ID') ?? '',
    release: os.get('VERSION_ID') ?? '',
    codename: os.get('VERSION_CODENAME') ?? '',
    architecture: first('machine'),
    kernel: first('kernel'),
    packageManager: packageManager(all('packages'), `${os.get('ID')} ${os.get('ID_LIKE')}`),
    init: first('init') === 'systemd' ? 'systemd' : 'other',
    selinux: first('selinux') === '1' ? 'enforcing' : first('selinux') === '0' ? 'permissive' : 'disabled',
    cpus: Math.max(1, all('cpu').length),
    memoryMiB: Math.floor(Number(first('memory')) / 1024) || 0,
    interfaces: interfaces(all('mac'), all('address')),
  };
}

/** Either distribution can have the other's manager, as a package like any other. */
function packageManager(there: readonly string[], family: string): Facts['packageManager'] {
  if (there.includes('apt-get') && /\b(debian|ubuntu)\b/.test(family)) return 'apt';
  return there.includes('dnf') ? 'dnf' : there.includes('apt-get') ? 'apt' : 'none';
}

function interfaces(macs: readonly string[], addresses: readonly string[]): Facts['interfaces'] {
  const pairs = (list: readonly string[]) => list.map((line) => line.split(' ') as [string, string?]);
  return Object.fromEntries(
    pairs(macs).map(([name, mac]) => [
      name,
      { mac: mac ?? '', addresses: pairs(addresses).flatMap(([nic, address]) => (nic === name && address ? [address] : [])) },
    ]),
  );
}

function unquote(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2');
}
