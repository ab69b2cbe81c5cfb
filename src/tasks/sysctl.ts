/** Kernel settings: the value now, and the value after a reboot, which is what all of sysctl.d comes to together. */
import { z } from 'zod';
import { type Change, defineTask, type Output, type PlanContext, refuse, sh } from '../task.ts';
import { text } from './support/params.ts';
import { keepSysctls, type WantedSysctl } from './support/sysctl/files.ts';
import { sysctlName, sysctlPath, sysctlValue } from './support/sysctl/merge.ts';
import { parseSysctls, procPath, type SeenSysctls, sysctlProbe } from './support/sysctl/probe.ts';

const key = z
  .string()
  .regex(
    /^(?!.*[./][./])[A-Za-z0-9_]+[./][A-Za-z0-9_@%+,~./-]*[A-Za-z0-9_@%+,~-]$/,
    'a key such as net.ipv4.ip_forward; where an interface name has a dot, net/ipv4/conf/eth0.100/arp_ignore',
  );
const value = z.union([z.number().int(), text.regex(/^[^\n]*[^\s][^\n]*$/, 'a value of one line')]);

const params = z.strictObject({
  values: z
    .record(key, value)
    .refine((values) => Object.keys(values).length > 0, 'at least one key')
    .refine((values) => new Set(Object.keys(values).map(sysctlPath)).size === Object.keys(values).length, 'each key once, in one notation')
    .describe('Key → value. Dots or slashes, as sysctl(8) takes them.'),
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.conf$/, 'a file name that ends in .conf, without a folder')
    .default('90-lvsctl.conf')
    .describe('Name of the file in /etc/sysctl.d that holds the values. Other lines in it are kept, so steps may share it.'),
  only_over: z
    .array(value)
    .min(1)
    .optional()
    .describe(
      'A key is set only where its value now is one of these, or the wanted one already; any other stays, and so does what is not there.',
    ),
  reason: text
    .regex(/^[^\n]+$/, 'one line')
    .optional()
    .describe('Why, as a comment above the values in the file.'),
});

type Want = z.infer<typeof params>;

/** Keys that appear with a module: their absence before the module is loaded is no mistake. */
const moduleKeys = [
  { prefix: 'net/ipv4/vs/', module: 'ip_vs' },
  { prefix: 'net/bridge/', module: 'br_netfilter' },
  { prefix: 'net/netfilter/nf_conntrack_', module: 'nf_conntrack' },
  // Their own devices, which the modules make; udev sets the file's values again whenever one appears.
  { prefix: 'net/ipv4/conf/tunl0/', module: 'ipip' },
  { prefix: 'net/ipv6/conf/ip6tnl0/', module: 'ip6_tunnel' },
];

const removedKeys: Readonly<Record<string, string>> = {
  'net/ipv4/tcp_tw_recycle': 'it was removed in Linux 4.12, because it breaks clients behind NAT',
};

export default defineTask({
  summary: 'Sets kernel parameters now (/proc/sys) and for every boot (sysctl.d).',
  params,
  touches: (want: Want) => [...settings(want).map(({ name }) => `sysctl:${name}`), `file:${fileOf(want)}`],
  needs: (want: Want) => [...new Set(settings(want).flatMap(({ path }) => moduleOf(path) ?? []))].map((module) => `module:${module}`),
  probe: (want: Want) => sysctlProbe(paths(want)),
  parse: (output: Output, want: Want): SeenSysctls => parseSysctls(output, paths(want)),
  plan(seen: SeenSysctls, want: Want, context: PlanContext): readonly Change[] {
    const wanted = settings(want).filter((setting) => counts(setting, seen, want));
    for (const setting of wanted) refuseMissing(setting, seen, context);
    const live = wanted.filter(({ path, value }) => liveValue(seen, path) !== value);
    return [
      ...live.map((setting) => liveChange(setting, seen)),
      ...keepSysctls(seen.files, { wanted, file: fileOf(want), reason: want.reason }),
    ];
  },
  settled(want: Want, seen: SeenSysctls) {
    const said = (list: readonly string[], what: string) => (list.length === 0 ? [] : [`${list.join(', ')}: ${what}`]);
    const all = settings(want);
    const kept = all.filter((setting) => counts(setting, seen, want)).map(({ name, value }) => `${name} = ${value}`);
    const left = all
      .filter((setting) => !counts(setting, seen, want))
      .map(({ path, name }) => `${name} ${liveValue(seen, path) === undefined ? 'is not there' : `= ${liveValue(seen, path)}`}`);
    return [...said(kept, 'so now and after a reboot'), ...said(left, 'left alone')].join('; ');
  },
  example: {
    values: { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 },
    file: '90-lvsctl.conf',
    reason: 'a backend must not answer ARP for the VIP',
  },
});

function settings(want: Want): readonly WantedSysctl[] {
  return Object.entries(want.values).map(([key, value]) => {
    const path = sysctlPath(key);
    return { path, name: sysctlName(path), value: sysctlValue(String(value)) };
  });
}

/** Where only certain values are set over: what is otherwise is so on purpose. */
function counts({ path, value }: WantedSysctl, seen: SeenSysctls, { only_over }: Want): boolean {
  if (only_over === undefined) return true;
  const now = liveValue(seen, path);
  return now === value || only_over.some((each) => sysctlValue(String(each)) === now);
}

function fileOf(want: Want): string {
  return `/etc/sysctl.d/${want.file}`;
}

function paths(want: Want): readonly string[] {
  return settings(want).map(({ path }) => path);
}

function moduleOf(path: string): string | undefined {
  return moduleKeys.find(({ prefix }) => path.startsWith(prefix))?.module;
}

/** What does not exist now and will not come with a module cannot be set: better said before the run than in the middle of it. */
function refuseMissing({ path, name }: WantedSysctl, seen: SeenSysctls, { facts }: PlanContext): void {
  if (seen.live.has(path) || moduleOf(path) !== undefined) return;
  const nic = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//.exec(path)?.[1];
  const nics = Object.keys(facts.interfaces);
  if (nic !== undefined && !nics.includes(nic) && !['all', 'default', 'lo'].includes(nic)) {
    throw refuse(`no such key: ${name}; the host has no interface ${nic}`, `interfaces: ${nics.join(', ') || 'none'}`);
  }
  throw refuse(`no such key: ${name}${removedKeys[path] ? `; ${removedKeys[path]}` : ` in Linux ${facts.kernel}`}`, 'leave it out');
}

function liveChange({ path, name, value }: WantedSysctl, seen: SeenSysctls): Change {
  const file = procPath(path);
  const old = liveValue(seen, path);
  return {
    id: `live:${name}`,
    title: `set ${name} = ${value}${old === undefined ? '' : `; it is ${old}`}`,
    was: old === undefined ? '' : `${name} = ${old}\n`,
    will: `${name} = ${value}\n`,
    unless: sh`[ "$(tr -s '[:space:]' ' ' <${file})" = ${`${value} `} ]`,
    run: sh`printf '%s\n' ${value} >${file}`,
  };
}

function liveValue(seen: SeenSysctls, path: string): string | undefined {
  const value = seen.live.get(path);
  return value === undefined || value === null ? undefined : sysctlValue(value);
}
