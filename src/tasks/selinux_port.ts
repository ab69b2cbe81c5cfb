/** Labels of ports: SELinux lets a confined service listen only on those whose type its policy names. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, type Sh, sh } from '../task.ts';
import { portBefore } from './support/selinux/before.ts';
import { localSettings, selinuxOn } from './support/selinux/store.ts';
import { portNumber } from './support/web-sites.ts';

const typeName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a type of the policy, such as http_port_t');

const params = z.strictObject({
  ports: z
    .array(
      z.strictObject({
        port: portNumber.describe('Port.'),
        protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
      }),
    )
    .min(1)
    .describe('Ports that carry the label.'),
  type: typeName.describe('Type of the label: http_port_t for web servers.'),
  or: z.array(typeName).default([]).describe('Types that do as well: a port that has one of them is left as it is.'),
});

type Want = z.infer<typeof params>;
type Port = Want['ports'][number];

interface SeenPort {
  readonly type: string;
  /** Set where somebody has labelled a range that holds the port. */
  readonly range: string | undefined;
}

interface Seen {
  /** Whether SELinux is on. */
  readonly on: boolean;
  /** What has no entry cannot be told without semanage. */
  readonly ports: ReadonlyMap<string, SeenPort>;
}

const nameOf = ({ port, protocol }: Port): string => `${protocol}/${port}`;

export default defineTask<Want, Seen>({
  summary: 'The label of ports for SELinux, now and after a reboot. Where SELinux is off there is nothing to do.',
  params,
  touches: ({ ports }) => ports.map((port) => `selinux:port ${nameOf(port)}`),
  needs: () => ['package:policycoreutils-python-utils'],
  before: ({ ports }) => ports.map(portBefore),
  probe: ({ ports }) => sh`if [ -e ${selinuxOn} ]; then
  printf 'selinux on\n'
  ${labels}
  labels ${ports.map(nameOf)}
fi`,
  parse,
  plan(seen, want): readonly Change[] {
    return seen.on ? distinct(want.ports).flatMap((port) => labelChange(port, seen.ports.get(nameOf(port)), want)) : [];
  },
  settled: ({ ports, type }, seen) => {
    const names = distinct(ports).map(nameOf);
    if (!seen.on) return `SELinux is off; no label ${type} is needed for ${names.join(', ')}`;
    return names.map((name) => `${name} is ${seen.ports.get(name)?.type}`).join(', ');
  },
  example: { ports: [{ port: 4000, protocol: 'tcp' }], type: 'http_port_t', or: ['http_cache_port_t'] },
});

function distinct(ports: readonly Port[]): readonly Port[] {
  return [...new Map(ports.map((port) => [nameOf(port), port])).values()];
}

/**
 * `labels tcp/4000 …` prints each with its type and where that comes from. A label of this host's own wins over the policy's, and a narrow range
 * over a wide one. What cannot be told without semanage is left out.
 */
const labels: Sh = lines(
  localSettings,
  sh`labels() {
  {
    [ ! -r "$local/ports.local" ] || cat "$local/ports.local"
    ! command -v semanage >/dev/null || semanage port -l -n
  } | awk -v "wanted=$*" '
    function consider(protocol, range, type, from,   ends, width, i, one) {
      if (split(range, ends, "-") < 2) ends[2] = ends[1]
      width = ends[2] - ends[1] + (from == "policy" ? 65536 : 0)
      for (i = 1; i <= count; i++) {
        split(list[i], one, "/")
        if (one[1] != protocol || one[2] + 0 < ends[1] + 0 || one[2] + 0 > ends[2] + 0) continue
        if (!(i in best) || width < best[i]) { best[i] = width; label[i] = type " " from " " range }
      }
    }
    BEGIN { count = split(wanted, list, " ") }
    $1 == "portcon" { split($NF, context, ":"); consider($2, $4 == "-" ? $3 "-" $5 : $3, context[3], "local"); next }
    $2 == "tcp" || $2 == "udp" { for (n = 3; n <= NF; n++) { gsub(",", "", $n); consider($2, $n, $1, "policy") } }
    END { for (i = 1; i <= count; i++) if (i in label) print "port", list[i], label[i] }'
}`,
);

function parse({ stdout }: Output): Seen {
  const said = [...stdout.matchAll(/^port ((?:tcp|udp)\/\d+) (\S+) (local|policy) (\S+)$/gm)];
  return {
    on: /^selinux on$/m.test(stdout),
    ports: new Map(
      said.map(([, name = '', type = '', from = '', range = '']) => [
        name,
        { type, range: from === 'local' && range.includes('-') ? range : undefined },
      ]),
    ),
  };
}

function labelChange(port: Port, seen: SeenPort | undefined, { type, or }: Want): readonly Change[] {
  const good = [type, ...or];
  if (seen && good.includes(seen.type)) return [];
  const name = nameOf(port);
  const { protocol } = port;
  if (seen?.range) {
    throw refuse(
      `${name} lies in ${seen.range}, which somebody has labelled ${seen.type} on this host`,
      `semanage port -d -p ${protocol} ${seen.range}, and label its ports one by one`,
    );
  }
  return [
    {
      id: `label:${name}`,
      title: seen
        ? `label ${name} ${type}; it is ${seen.type}`
        : `label ${name} ${type}; what it is cannot be told before semanage is there`,
      was: seen ? `${seen.type}\n` : '',
      will: `${type}\n`,
      unless: lines(labels, sh`labels ${name} | { read -r _ _ type _ && case $type in ${alternatives(good)}) ;; *) exit 1 ;; esac; }`),
      // Neither takes a port that is in the other's place: -a none that has an entry, -m none that has none.
      run: sh`semanage port -a -t ${type} -p ${protocol} ${port.port} 2>/dev/null || semanage port -m -t ${type} -p ${protocol} ${port.port}`,
      timeout: 300,
    },
  ];
}

/** A pattern of `case`. */
function alternatives([first, ...others]: readonly string[]): Sh {
  return others.reduce((so, each) => sh`${so} | ${each}`, sh`${first ?? ''}`);
}
