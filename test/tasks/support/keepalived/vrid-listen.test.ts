/** Real packets on a cable between two interfaces of a network namespace. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LvsError } from '../../../../src/errors.ts';
import { preamble } from '../../../../src/sh/frame.ts';
import { quote, renderSh } from '../../../../src/sh/sh.ts';
import { exampleVrrp } from '../../../../src/tasks/support/keepalived/params.ts';
import { listeningSeconds, newcomers, parseHeard, refuseForeign, vridProbe } from '../../../../src/tasks/support/keepalived/vrid-listen.ts';
import { shells } from '../../../support/lint-shell.ts';
import { planContext, s0Fleet } from '../../../support/plan-context.ts';

const [instance] = exampleVrrp.instances as [(typeof exampleVrrp.instances)[number]];
const four = { ...instance, advert: 1 / 3 };
const six = { ...four, family: 'ipv6' as const };

const bytes = (address: string): readonly number[] =>
  address.includes(':')
    ? address
        .replace('::', `${':0'.repeat(9 - address.split(':').length)}:`)
        .split(':')
        .flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255])
    : address.split('.').map(Number);

interface Sender {
  readonly source: string;
  readonly to: string;
  readonly id: number;
  readonly version: number;
  readonly addresses: readonly string[];
}

/** An Ethernet frame with an advert, as hexadecimal digits. The password that version 2 has at its end is `secret`. */
function frameOf({ source, to, id, version, addresses }: Sender): string {
  const password = version === 2 ? [...Buffer.from('secret\0\0')] : [];
  const advert = [version * 16 + 1, id, 100, addresses.length, version === 2 ? 1 : 0, 1, 0, 0, ...addresses.flatMap(bytes), ...password];
  const multicast = /^(224|ff)/.test(to);
  const [mac, packet] = source.includes(':')
    ? [
        [0x33, 0x33, 0, 0, 0, 0x12],
        [0x86, 0xdd, 0x60, 0, 0, 0, 0, advert.length, 112, 255],
      ]
    : [
        [1, 0, 0x5e, 0, 0, 0x12],
        [8, 0, 0x45, 0xc0, 0, 20 + advert.length, 0, 1, 0, 0, 255, 112, 0, 0],
      ];
  // The interface that listens has the address 02:00:00:00:00:01.
  const frame = [...(multicast ? mac : [2, 0, 0, 0, 0, 1]), 2, 0, 0, 0, 0, 2, ...packet, ...bytes(source), ...bytes(to), ...advert];
  return Buffer.from(frame).toString('hex');
}

const send = `use Socket; socket my $out, 17, SOCK_RAW, 0 or die; ioctl $out, 0x8933, my $request = pack "a16 x24", "other" or die;
my $to = pack "S n l S C C a8", 17, 0, unpack("x16 i", $request), 0, 0, 0, "";
while (1) { send $out, pack("H*", $_), 0, $to or die for @ARGV; select undef, undef, undef, 0.2 }`;

interface Segment {
  readonly senders?: readonly (Sender | string)[];
  /** Programs that the host has beside those that every host has: paths, or texts of scripts. */
  readonly tools: Readonly<Record<string, string>>;
  readonly shell?: string;
  readonly instances?: Parameters<typeof vridProbe>[0];
  /** The configuration of a keepalived that runs. */
  readonly config?: string;
}

/** What the probe prints, and how many seconds it took. */
function listen({ senders = [], tools, shell = 'dash', instances = [four], config }: Segment) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-vrid-'));
  try {
    mkdirSync(join(folder, 'bin'));
    const usual = 'printf sed sort head timeout sleep sh grep'.split(' ').map((name) => [name, `/usr/bin/${name}`]);
    for (const [name = '', text = ''] of [...usual, ...Object.entries(tools)]) {
      const path = join(folder, 'bin', name);
      if (text.startsWith('/')) symlinkSync(text, path);
      else writeFileSync(path, `#!/bin/sh\n${text}\n`);
      if (!text.startsWith('/')) chmodSync(path, 0o755);
    }
    const text = quote(renderSh(vridProbe(instances), (value) => value));
    if (config !== undefined) writeFileSync(join(folder, 'config'), config);
    const held = config === undefined ? '' : `held=${folder}/config\n`;
    writeFileSync(join(folder, 'probe'), `${preamble}\n${held}PATH=${folder}/bin\n( eval ${text} ) </dev/null\n`);
    const frames = senders.map((sender) => (typeof sender === 'string' ? sender : frameOf(sender)));
    const script = `PATH=$PATH:/usr/sbin:/sbin
ip link add eth0 address 02:00:00:00:00:01 type veth peer name other && ip link set eth0 up && ip link set other up || exit 70
[ $# -eq 0 ] || perl -e ${quote(send)} "$@" & sender=$!
${shell} <${folder}/probe
kill $sender 2>/dev/null
exit 0`;
    const begin = Date.now();
    const words = ['--user', '--map-root-user', '--net', 'sh', '-c', script, 'sh', ...frames];
    const { stdout, stderr, status } = spawnSync('unshare', words, { encoding: 'utf8', timeout: 30_000 });
    expect([status, stderr]).toEqual([0, '']);
    return { stdout, heard: parseHeard(stdout), seconds: (Date.now() - begin) / 1000 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const foreign: Sender = { source: '10.18.43.99', to: '224.0.0.18', id: 51, version: 2, addresses: ['10.18.43.77', '10.18.43.78'] };
const unicast: Sender = { source: '10.18.43.98', to: '10.18.43.10', id: 52, version: 3, addresses: ['10.18.43.76'] };
const foreignSix: Sender = { source: 'fe80::99', to: 'ff02::12', id: 51, version: 3, addresses: ['fe80::1', 'fd79::77'] };
const seen = ({ source, id, version, addresses }: Sender) => ({
  interface: 'eth0',
  family: source.includes(':') ? 'ipv6' : 'ipv4',
  id,
  version,
  source,
  addresses,
});
/** An advert that says it has 200 addresses, one that is cut, and a packet of another protocol. */
const spoilt = [
  frameOf(foreign).replace('21336402', '213364c8').slice(0, -16),
  frameOf({ ...foreign, source: '10.18.43.97' }).slice(0, 72),
  frameOf({ ...foreign, source: '10.18.43.96' }).replace('ff700000', 'ff060000'),
];
const python = '/usr/bin/python3';
const perl = '/usr/bin/perl';

describe.each([
  ['perl', { perl }],
  ['python3', { python3: python }],
])('with %s', (_, tools) => {
  test('adverts of both families and to this host alone are heard, once each', () => {
    const { heard, stdout } = listen({ senders: [foreign, unicast, foreignSix], tools, instances: [four, six] });
    expect(heard?.places).toEqual(['eth0 ipv4', 'eth0 ipv6']);
    expect(new Set(heard?.adverts)).toEqual(new Set([foreign, unicast, foreignSix].map(seen)));
    expect(heard?.adverts).toHaveLength(3);
    expect(stdout).not.toContain('secret');
  });

  test('spoilt packets are no adverts', () => {
    const { heard } = listen({ senders: spoilt, tools });
    expect(heard?.adverts.map(({ source, addresses }) => [source, addresses])).toEqual([['10.18.43.99', foreign.addresses]]);
  });

  test('silence ends in time, and an interface that is not there is not listened on', () => {
    const { heard, seconds } = listen({ tools, instances: [four, { ...four, interface: 'eth7' }] });
    expect(heard).toEqual({ tool: true, places: ['eth0 ipv4'], adverts: [] });
    expect(seconds).toBeGreaterThan(1.4);
    expect(seconds).toBeLessThan(10);
  });
});

test.each(shells)('%s hears it too', (shell) => {
  expect(listen({ senders: [foreign], tools: { perl }, shell }).heard?.adverts).toEqual([seen(foreign)]);
});

test('a perl without its modules is no perl', () => {
  const { heard } = listen({ senders: [foreign], tools: { perl: 'exit 2', python3: python } });
  expect(heard?.adverts).toEqual([seen(foreign)]);
});

test.each(shells)('%s listens beside a keepalived that runs for what that has not, and else not at all', (shell) => {
  const config = 'vrrp_instance lvs {\n    virtual_router_id 51\n}\n# virtual_router_id 52\nvrrp_instance b {\n\tvirtual_router_id 5\n}\n';
  const second = { ...four, id: 52 };
  const tools = { perl };
  expect(listen({ tools, shell, config }).heard).toBeUndefined();
  expect(listen({ tools, shell, config, instances: [four, six] }).heard).toBeUndefined();
  const { heard } = listen({
    senders: [{ ...foreign, id: 52 }],
    tools,
    shell,
    config,
    instances: [four, second, { ...six, interface: 'eth1' }],
  });
  expect(heard).toEqual({ tool: true, places: ['eth0 ipv4'], adverts: [seen({ ...foreign, id: 52 })] });
  expect(newcomers([four, second, { ...four, id: 5 }], config)).toEqual([second]);
});

test('without a tool that is said', () => {
  expect(listen({ tools: {} }).heard).toEqual({ tool: false, places: [], adverts: [] });
});

/** As tcpdump 4.99 writes them, password and all. */
const dump = `case "$*" in *ip6*) echo 'IP6_LINE';; *) echo 'IP4_LINE';; esac; exec sleep 60`;

test('with tcpdump alone its words are read, without the password', () => {
  const tcpdump = dump
    .replace(
      'IP4_LINE',
      `IP (tos 0xc0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 44)
    10.18.43.99 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 100, authtype simple, intvl 1s, length 24, addrs(2): 10.18.43.77,10.18.43.78 auth "secret"`,
    )
    .replace(
      'IP6_LINE',
      'IP6 (hlim 255, next-header VRRP (112) payload length: 40) fe80::99 > ff02::12: VRRPv3, Advertisement, vrid 51, prio 100, intvl 100cs, length 40, (bad vrrp cksum 0), addrs(2): fe80::1,fd79::77',
    );
  const { heard, stdout } = listen({ tools: { tcpdump }, instances: [four, six] });
  expect(new Set(heard?.adverts)).toEqual(new Set([seen(foreign), seen(foreignSix)]));
  expect([...(heard?.places ?? [])].sort()).toEqual(['eth0 ipv4', 'eth0 ipv6']);
  expect(stdout).not.toContain('secret');
});

test('it listens for three adverts, but four seconds at most, and long enough for those of a usual second', () => {
  expect([0.1, 1, 30].map((advert) => listeningSeconds([{ advert }]))).toEqual([1.5, 3.5, 4]);
});

describe('whose adverts are wrong', () => {
  const instances = [
    instance,
    { ...instance, instance: 'six', family: 'ipv6' as const, addresses: [{ address: 'fd79::30', prefix: 128, interface: 'eth1' }] },
  ];
  const hosts = s0Fleet.hosts.map((host) =>
    host.name === 'dr2'
      ? { ...host, interfaces: [...host.interfaces, { name: 'eth1', addresses: ['192.168.7.3/24', 'FD79:0::20/64'] }] }
      : host,
  );
  const facts = { interfaces: { eth0: { mac: '02:00:00:00:00:01', addresses: ['10.18.43.10/24', 'fe80::10/64'] } } };
  const judge = (said: string) => () => {
    const heard = parseHeard(`vrrp listening\nvrrp listened eth0 ipv4\nvrrp advert ${said}\n`);
    if (!heard) throw new Error('nothing was heard');
    refuseForeign(heard, instances, planContext({ host: 'dr1', facts, fleet: { hosts } }));
  };

  test.each([
    ['of the other director', 'eth0 ipv4 51 2 10.18.43.20 10.18.43.77'],
    ['of another interface of the other director', 'eth0 ipv4 51 2 192.168.7.3 10.18.43.30'],
    ['of its IPv6 address, however it is written', 'eth0 ipv6 51 3 fd79::20 fd79::77'],
    ['of this host', 'eth0 ipv6 51 3 fe80::10 fd79::77'],
    ['of a link-local address, for a VIP of ours', 'eth0 ipv6 51 3 fe80::20 fe80::1,fd79::30'],
    ['of another VRID', 'eth0 ipv4 52 2 10.18.43.99 10.18.43.30'],
    ['of another interface', 'eth1 ipv4 51 2 10.18.43.99 10.18.43.30'],
    ['of no address', 'eth0 ipv4 51 2 no-address 10.18.43.30'],
  ])('not those %s', (_, said) => {
    expect(judge(said)).not.toThrow();
  });

  test.each([
    ['a stranger, though for a VIP of ours', 'eth0 ipv4 51 2 10.18.43.99 10.18.43.30', '10.18.43.99 sends adverts for 10.18.43.30'],
    ['a real server', 'eth0 ipv4 51 3 10.18.43.13 -', '10.18.43.13 sends adverts'],
    ['a stranger with a link-local address', 'eth0 ipv6 51 3 fe80::99 fd79::77', 'fe80::99 sends adverts for fd79::77'],
  ])('those of %s', (_, said, what) => {
    expect(judge(said)).toThrow(new RegExp(`^VRID 51 is in use on eth0: ${what.replaceAll('.', '\\.')}$`));
  });

  test('what to do is said, and that an address of a director may be missing in the inventory', () => {
    const hint = (said: string) => {
      try {
        judge(said)();
      } catch (error) {
        return (error as LvsError).hint;
      }
      return 'not refused';
    };
    expect(hint('eth0 ipv4 51 2 10.18.43.99 10.18.43.77')).toBe('take another vrrp.id, or stop that router');
    expect(hint('eth0 ipv4 51 2 10.18.43.99 10.18.43.30')).toBe(
      'take another vrrp.id, or stop that router; if it is a director, name that address under its interfaces',
    );
  });
});
