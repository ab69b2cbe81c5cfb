/**
 * Routes, now and at every boot whatever manages the network. With `from` only for packets of that source: replies of a service take
 * another way then, and the way by which the host is managed stays as it is.
 */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, type Sh, sh } from '../task.ts';
import { type Family, familyOf, isRoute, routeWords, ruleWords, seenRule, type WantedRoute } from './support/addresses/route-words.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import {
  type BootUnit,
  bootUnitChanges,
  bootUnitGone,
  bootUnitPath,
  bootUnitProbe,
  parseBootUnit,
  type SeenBootUnit,
  unitCommand,
} from './support/systemd/boot-unit.ts';

const address = z.union([z.ipv4(), z.ipv6()]);

const route = z
  .strictObject({
    to: z
      .union([address, z.cidrv4(), z.cidrv6(), z.literal('default')])
      .describe('Where packets go: an address, a network in CIDR notation, or `default`.'),
    via: address.optional().describe('Gateway.'),
    device: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/, 'an interface name')
      .optional()
      .describe('NIC that they leave by.'),
    advmss: z
      .number()
      .int()
      .min(88)
      .max(65495)
      .optional()
      .describe('Largest segment that the host asks for in TCP: MTU less 40, less 20 more behind a tunnel (there see `segment_size`).'),
    from: address.optional().describe('Only packets with this source address, such as the RIP or the VIP.'),
    protocol: z.enum(['tcp', 'udp']).optional().describe('Only packets of this protocol; with `from`.'),
    port: z
      .number()
      .int()
      .min(1)
      .max(65535)
      .optional()
      .describe('Only packets from this port, that of the service which answers; with `protocol`.'),
    table: z.number().int().min(1).max(252).optional().describe('Table that holds the route; with `from`, 51 for example.'),
  })
  .refine(({ via, device }) => via !== undefined || device !== undefined, 'a route has "via", "device" or both')
  .refine(({ to, from }) => to !== 'default' || from !== undefined, 'the default route of the whole host is not for this task: say "from"')
  .refine(({ from, table }) => (from === undefined) === (table === undefined), '"from" and "table" go together')
  .refine(({ protocol, from }) => protocol === undefined || from !== undefined, '"protocol" goes with "from"')
  .refine(({ port, protocol }) => port === undefined || protocol !== undefined, '"port" goes with "protocol"')
  .refine(
    (all) =>
      new Set([all.to, all.via, all.from].flatMap((each) => (each === undefined || each === 'default' ? [] : [each.includes(':')])))
        .size === 1,
    'one family of addresses',
  );

const params = z.strictObject({
  routes: z.array(route).describe('All routes of ours on the host; none: those that there were are taken away.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly unit: SeenBootUnit;
  /** Of systemd-networkd, which takes away what it did not make. */
  readonly keep: SeenFile;
  readonly networkd: boolean;
  readonly rules: Readonly<Record<Family, readonly string[]>>;
  /** Lines of `ip route show`, one list per wanted route. */
  readonly routes: readonly (readonly string[])[];
}

const name = 'lvsctl-route.service';
const keepPath = '/etc/systemd/networkd.conf.d/lvsctl-route.conf';
const keepText = `# Written by lvsctl: routes and rules of ${name} outlive a restart of systemd-networkd.
[Network]
ManageForeignRoutes=no
ManageForeignRoutingPolicyRules=no
`;
const families = ['-4', '-6'] as const;

export default defineTask({
  summary: 'Routes of a host, also for the replies of one service alone, now and at every boot.',
  params,
  touches: ({ routes }: Want) => [
    ...routes.map((each) => `route:${[...routeWords(each), ...(ruleWords(each)[1] ?? [])].join(' ')}`),
    `file:${bootUnitPath(name)}`,
    `service:${name}`,
    `file:${keepPath}`,
  ],
  probe: ({ routes }: Want) =>
    lines(
      bootUnitProbe(name),
      sh`printf '\nnetworkd\n'`,
      filesProbe([keepPath]),
      sh`[ ! -e /run/systemd/netif/state ] && [ ! -L /etc/systemd/system/multi-user.target.wants/systemd-networkd.service ] || printf 'networkd\n'
ip -4 rule list | sed 's/^/rule -4 /'
ip -6 rule list 2>/dev/null | sed 's/^/rule -6 /'`,
      ...routes.map((each, index) => {
        const table = each.table === undefined ? 'main' : String(each.table);
        return sh`ip ${familyOf(each)} route show to exact ${routeWords(each)[0] ?? ''} table ${table} 2>/dev/null | sed ${`s/^/route ${index} /`}`;
      }),
    ),
  parse({ stdout }: Output, { routes }: Want): Seen {
    const [first = '', ...others] = stdout.split('\nnetworkd\n');
    const { files, rest } = parseFiles({ stdout: others.join('\nnetworkd\n') }, [keepPath]);
    const said = rest.split('\n');
    const after = (mark: string) => said.flatMap((line) => (line.startsWith(`${mark} `) ? [line.slice(mark.length + 1)] : []));
    const rules = (family: Family) => after(`rule ${family}`).flatMap((line) => seenRule(line)?.join(' ') ?? []);
    return {
      unit: parseBootUnit(first, name),
      keep: files[0] as SeenFile,
      networkd: said.includes('networkd'),
      rules: { '-4': rules('-4'), '-6': rules('-6') },
      routes: routes.map((_, index) => after(`route ${index}`)),
    };
  },
  plan(seen: Seen, { routes }: Want, context: PlanContext): readonly Change[] {
    const live = routes.flatMap((want, index) => routeChanges(seen, want, index));
    if (routes.length === 0) return [...bootUnitGone(seen.unit, name), ...keepGone(seen)];
    const old = families.flatMap((family) => staleChanges(seen, routes, family));
    const keep = seen.networkd ? fileChange({ seen: seen.keep, path: keepPath, content: keepText, makeParent: true, context }) : [];
    const unit = bootUnitChanges(seen.unit, unitOf(routes), context).map((change) => ({
      ...change,
      ...(old.length > 0 && { takesAway: true }),
    }));
    return [...distinct(live), ...keep, ...old, ...unit];
  },
  settled: ({ routes }: Want) => {
    const each = routes.map((want) => [...routeWords(want), ...(want.from === undefined ? [] : ['for', ...selectorOf(want)])].join(' '));
    return each.length === 0 ? 'no routes of ours, now and after a reboot' : `${each.join('; ')}: now and after a reboot`;
  },
  example: {
    routes: [
      { to: 'default', via: '10.18.43.1', device: 'eth0', advmss: 1440, from: '10.18.43.30', protocol: 'tcp', port: 80, table: 51 },
      { to: '192.0.2.7', via: '10.18.43.10', device: 'eth0' },
    ],
  },
});

/** The route first: a rule that leads to an empty table leads on to the next one. */
function routeChanges(seen: Seen, want: WantedRoute, index: number): readonly Change[] {
  const family = familyOf(want);
  const words = routeWords(want);
  const here = seen.routes[index] ?? [];
  // `ip route show table N` leaves the table out.
  const place = want.table === undefined ? [] : ['table', String(want.table)];
  const added: Change = {
    id: `live:route:${words.join(' ')}`,
    title: `route ${words.join(' ')}, now`,
    was: here.map((line) => `${line.trim()}\n`).join(''),
    will: `${words.join(' ')}\n`,
    run: replaceRoute(want),
    undo:
      here[0] === undefined
        ? sh`ip ${family} route del ${words} 2>/dev/null || :`
        : sh`ip ${family} route replace ${here[0].trim().split(/\s+/)} ${place}`,
    risk: 'lockout',
  };
  const rules = ruleWords(want).filter((rule) => !seen.rules[family].includes(rule.join(' ')));
  return [...(here.some((line) => isRoute(line, want)) ? [] : [added]), ...rules.map((rule) => ruleChange(family, rule))];
}

/** Nothing of ours is left that systemd-networkd could take away. */
function keepGone({ keep }: Seen): readonly Change[] {
  if (keep.type !== 'file' || !keep.content?.startsWith('# Written by lvsctl')) return [];
  const run = sh`rm -f -- ${keepPath}`;
  return [{ id: `remove:${keepPath}`, title: `remove ${keepPath}`, was: keep.content, will: '', run, takesAway: true }];
}

function ruleChange(family: Family, rule: readonly string[]): Change {
  const text = rule.join(' ');
  return {
    id: `live:rule:${text}`,
    title: `rule ${text}, now`,
    was: '',
    will: `${text}\n`,
    run: addRule(family, rule),
    undo: deleteRule(family, rule),
    risk: 'lockout',
  };
}

/** At the preferences of ours stand only rules of ours; which routes were ours, the old unit tells. */
function staleChanges(seen: Seen, routes: readonly WantedRoute[], family: Family): readonly Change[] {
  const wanted = routes.filter((each) => familyOf(each) === family);
  const rules = seen.rules[family].filter((rule) => !wanted.some((each) => ruleWords(each).some((words) => words.join(' ') === rule)));
  const old = [...(seen.unit.file.content ?? '').matchAll(/^ExecStart=-\/bin\/sh -c "ip (-[46]) route replace ([\w.:/ -]+)"$/gm)];
  const gone = old.flatMap(([, of, words = '']) =>
    of === family && !wanted.some((each) => routeWords(each).join(' ') === words) ? [words] : [],
  );
  const replaced = (words: string) =>
    wanted.some((each) => routeWords(each)[0] === words.split(' ')[0] && words.includes(`table ${each.table}`));
  return [
    ...[...new Set(rules)].map((rule) => stale(`rule ${rule}`, deleteRule(family, rule.split(' ')), addRule(family, rule.split(' ')))),
    ...[...new Set(gone)]
      .filter((words) => !replaced(words))
      .map((words) => words.split(' '))
      .map((words) =>
        stale(`route ${words.join(' ')}`, sh`ip ${family} route del ${words} 2>/dev/null || :`, sh`ip ${family} route replace ${words}`),
      ),
  ];
}

function stale(what: string, run: Sh, undo: Sh): Change {
  return {
    id: `stale:${what.replace(' ', ':')}`,
    title: `take the ${what} away: it is no longer wanted`,
    was: `${what}\n`,
    will: '',
    run,
    undo,
    takesAway: true,
    risk: 'lockout',
  };
}

/** Two routes of one table may have the same rule. */
function distinct(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((change) => [change.id, change])).values()];
}

function replaceRoute(want: WantedRoute): Sh {
  return sh`ip ${familyOf(want)} route replace ${routeWords(want)}`;
}

/** `ip rule add` fails where the rule is there already; what counts is that it is. */
function addRule(family: Family, rule: readonly string[]): Sh {
  return sh`said=$(ip ${family} rule add ${rule} 2>&1) || case $said in *'File exists'*) ;; *) printf '%s\n' "$said" >&2; exit 1 ;; esac`;
}

function deleteRule(family: Family, rule: readonly string[]): Sh {
  return sh`ip ${family} rule del ${rule}`;
}

function selectorOf({ from = '', protocol, port }: WantedRoute): readonly string[] {
  return [from, ...(protocol === undefined ? [] : [`${protocol}${port === undefined ? '' : `/${port}`}`])];
}

/** After the network is there: a gateway that cannot be reached yet is refused by the kernel. */
function unitOf(routes: readonly WantedRoute[]): BootUnit {
  const rules = routes.flatMap((each) => ruleWords(each).map((rule) => ({ family: familyOf(each), rule })));
  const once = [...new Map(rules.map((each) => [`${each.family} ${each.rule.join(' ')}`, each])).values()];
  return {
    name,
    description: 'Routes of the LVS cluster',
    wants: ['network-online.target'],
    after: ['network-online.target'],
    before: [],
    follows: ['systemd-networkd.service', 'NetworkManager.service', 'networking.service'],
    start: [
      ...routes.map((each) => unitCommand(replaceRoute(each))),
      ...once.map(({ family, rule }) => unitCommand(addRule(family, rule))),
    ],
    stop: [
      ...once.map(({ family, rule }) => unitCommand(deleteRule(family, rule))),
      ...new Set(routes.map((each) => unitCommand(sh`ip ${familyOf(each)} route del ${routeWords(each)}`))),
    ],
  };
}
