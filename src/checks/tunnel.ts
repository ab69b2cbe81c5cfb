/** Tunnels: on each backend the device at which packets in packets end is there, up, and takes what comes out of it; clients send what fits. */
import { z } from 'zod';
import type { Fleet, Host } from '../model.ts';
import { defineCheck, type Finding, type Look, sh } from '../task.ts';
import { persistedLines } from '../tasks/support/sysctl/files.ts';
import { parseSysctls, sysctlProbe } from '../tasks/support/sysctl/probe.ts';
import { fail, listed, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, type Said, telling } from './support/said.ts';
import { judgeSegments, segmentsProbe } from './support/segments.ts';
import { vipsKeptBy } from './support/topology.ts';

export default defineCheck({
  summary:
    'On each backend behind a tunnel, tunl0 (IPv6: ip6tnl0) is up, and rp_filter lets in what comes out of it, now and after a reboot; clients are asked for segments that fit into the tunnel.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) =>
    devicesOf(host, fleet).length > 0
      ? telling(
          sysctlProbe([]),
          sh`set -- ${devicesOf(host, fleet)}
for nic in "$@"; do
  if [ ! -e "/sys/class/net/$nic" ]; then printf 'device %s absent\n' "$nic"
  else printf 'device %s %s\n' "$nic" "$(cat "/sys/class/net/$nic/flags")"; fi
  grep -sH '' "/proc/sys/net/ipv4/conf/$nic/rp_filter"
done | while IFS= read -r line; do
  case $line in device*) printf '%s\n' "$line" ;; *) printf 'filter %s\n' "$line" ;; esac
done
grep -s '' /proc/sys/net/ipv4/conf/all/rp_filter | while IFS= read -r value; do printf 'all %s\n' "$value"; done`,
          segmentsProbe(host, fleet),
        )
      : undefined,
  expect: (looks, _, { fleet }) => {
    const expected = 'the device of the tunnel up on each backend behind one';
    if (!fleet.services.some(({ forward }) => forward === 'tun')) return [];
    return looks.length === 0
      ? [nobodyLooked('backend', fleet, expected)]
      : looks.flatMap((look) => [
          ...devicesOf(look.host, fleet).flatMap((device) => judgeDevice(look, device, expected)),
          ...judgeSegments(look, heard(look), fleet),
        ]);
  },
  example: {},
});

function devicesOf(host: Host, fleet: Fleet): readonly string[] {
  return [...new Set(vipsKeptBy(host, fleet).flatMap(({ tunnel, device }) => (tunnel ? [device] : [])))];
}

const up = 1;

function judgeDevice(look: Look, device: string, fallback: string): readonly Finding[] {
  const said = heard(look);
  const { name } = look.host;
  const state = said
    ?.all('device')
    .find((line) => line.startsWith(`${device} `))
    ?.slice(device.length + 1);
  if (!said || state === undefined || state === '') return [unreadable(look, fallback)];
  const expected = `${device} of ${name} is up`;
  const module = device === 'tunl0' ? 'ipip' : 'ip6_tunnel';
  if (state === 'absent') {
    const fix = `modprobe ${module} on ${name}, and ${module} in /etc/modules-load.d; then ip link set ${device} up`;
    return [fail(name, `there is no ${device} on ${name}`, expected, fix)];
  }
  const link =
    (Number(state) & up) === up
      ? pass(name, `${device} of ${name} is up`, expected)
      : fail(
          name,
          `${device} of ${name} is down`,
          expected,
          `ip link set ${device} up on ${name}; lvsctl deploy also keeps it over a reboot`,
        );
  return [link, ...(device === 'tunl0' ? judgeFilter(look, said, device) : [])];
}

/** Packets from clients come out of the tunnel, and the way back to them leads elsewhere: a strict filter (1) drops them in silence. */
function judgeFilter(look: Look, said: Said, device: string): readonly Finding[] {
  const { name } = look.host;
  const [all, own] = [said.first('all'), said.first('filter')?.split(':').at(-1)].map((value) =>
    /^\d$/.test(value ?? '') ? Number(value) : undefined,
  );
  const expected = `rp_filter on ${device} of ${name} comes to 0 or 2`;
  if (all === undefined || own === undefined) return [unreadable(look, expected)];
  const { files } = parseSysctls(look.output, []);
  const kept = [0, 1].map((reader) => {
    const found = ['all', device].map((place) => persistedLines(files, `net/ipv4/conf/${place}/rp_filter`)[reader]);
    const values = found.map((line) => ({ value: Number(line?.value ?? 0), path: line?.file.path ?? '' }));
    return values.reduce((one, other) => (other.value > one.value ? other : one));
  });
  const strict = kept.find(({ value }) => value === 1);
  const words = (value: number, why: string): string => `rp_filter on ${device} of ${name} comes to ${value}${why}`;
  const set = `net.ipv4.conf.${device}.rp_filter`;
  const now = words(Math.max(all, own), ` (all ${all}, ${device} ${own})`);
  return [
    Math.max(all, own) === 1
      ? fail(name, now, expected, `sysctl -w ${set}=2 on ${name}: the larger of all and ${device} counts`)
      : pass(name, now, expected),
    strict
      ? fail(
          name,
          words(1, ` after a reboot (${strict.path})`),
          `${expected} after a reboot`,
          `${set} = 2 in /etc/sysctl.d on ${name}; lvsctl deploy does so`,
        )
      : pass(
          name,
          words(
            Math.max(...kept.map(({ value }) => value)),
            ` after a reboot (${listed([...new Set(kept.map(({ path }) => path || 'no file sets it'))])})`,
          ),
          `${expected} after a reboot`,
        ),
  ];
}
