import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import { keepSysctls, persistedLines } from '../../src/tasks/support/sysctl/files.ts';
import { type SysctlFile, sysctlName } from '../../src/tasks/support/sysctl/merge.ts';
import type { SeenSysctls } from '../../src/tasks/support/sysctl/probe.ts';
import sysctl from '../../src/tasks/sysctl.ts';
import { planContext } from '../support/plan-context.ts';

const want = sysctl.example;
const keys = Object.keys(want.values);
const asWanted = () => Object.entries(want.values).map(([key, value]) => [key.replaceAll('.', '/'), String(value)] as const);

const kept = file('/etc/sysctl.d/90-lvsctl.conf', 'net.ipv4.conf.all.arp_ignore = 1', 'net.ipv4.conf.all.arp_announce = 2');

function seen(live: readonly (readonly [string, string | null])[], ...files: readonly SysctlFile[]): SeenSysctls {
  return { live: new Map(live), files };
}

function file(path: string, ...lines: readonly string[]): SysctlFile {
  return { path, real: path, content: lines.map((line) => `${line}\n`).join('') };
}

const ids = (found: SeenSysctls) => sysctl.plan(found, want, planContext()).map(({ id }) => id);

describe('now and after a reboot are compared apart', () => {
  test('a wrong live value is one change, of that key', () => {
    fc.assert(
      fc.property(fc.subarray(keys), (damaged) => {
        const live = asWanted().map(([path, value]) => [path, damaged.includes(sysctlName(path)) ? '0' : value] as const);
        expect(ids(seen(live, kept))).toEqual(damaged.map((key) => `live:${key}`));
      }),
    );
  });

  test('a missing file is one change, whatever the live values', () => {
    expect(ids(seen(asWanted()))).toEqual(['persisted:/etc/sysctl.d/90-lvsctl.conf']);
  });

  test('blanks are no difference: the kernel prints tabs', () => {
    const rmem = sysctl.params.parse({ values: { 'net.ipv4.tcp_rmem': ' 4096 131072  6291456' } });
    const found = seen(
      [['net/ipv4/tcp_rmem', '4096\t131072\t6291456']],
      file('/etc/sysctl.d/1.conf', 'net.ipv4.tcp_rmem = 4096 131072 6291456'),
    );
    expect(sysctl.plan(found, rmem, planContext())).toEqual([]);
  });
});

describe('set only over certain values', () => {
  const keys = { 'net/ipv6/conf/eth0/accept_ra': 2, 'net/ipv6/conf/eth1/accept_ra': 2 };
  const over = sysctl.params.parse({ values: keys, file: '93-nat.conf', only_over: [1] });
  const [eth0, eth1] = Object.keys(keys) as [string, string];
  const planned = (found: SeenSysctls) => sysctl.plan(found, over, planContext()).map(({ id }) => id);

  test('what is otherwise is left, and said; so is what is not there', () => {
    const found = seen([
      [eth0, '1'],
      [eth1, '0'],
    ]);
    expect(planned(found)).toEqual(['live:net.ipv6.conf.eth0.accept_ra', 'persisted:/etc/sysctl.d/93-nat.conf']);
    expect(sysctl.plan(found, over, planContext())[1]?.will).not.toContain('eth1');
    const off = seen([[eth0, '0']]);
    expect(planned(off)).toEqual([]);
    expect(sysctl.settled(over, off)).toBe('net.ipv6.conf.eth0.accept_ra = 0, net.ipv6.conf.eth1.accept_ra is not there: left alone');
  });

  test('what it has set stays so, in the file too', () => {
    const done = seen(
      [
        [eth0, '2'],
        [eth1, '0'],
      ],
      file('/etc/sysctl.d/93-nat.conf', 'net.ipv6.conf.eth0.accept_ra = 2'),
    );
    expect(planned(done)).toEqual([]);
    expect(sysctl.settled(over, done)).toBe(
      'net.ipv6.conf.eth0.accept_ra = 2: so now and after a reboot; net.ipv6.conf.eth1.accept_ra = 0: left alone',
    );
    expect(planned({ ...done, files: [] })).toEqual(['persisted:/etc/sysctl.d/93-nat.conf']);
  });
});

describe('the file', () => {
  const path = 'net/ipv4/conf/all/arp_ignore';
  const wanted = [{ path, name: sysctlName(path), value: '1' }];
  const mine = { wanted, file: '/etc/sysctl.d/90-lvsctl.conf', reason: 'why' };

  test('keeps what another step wrote into it', () => {
    const before = file(mine.file, '# lvsctl: NAT', 'net.ipv4.ip_forward = 1', '# lvsctl: before', 'net.ipv4.conf.all.arp_ignore = 0');
    const [change] = keepSysctls([before], mine);
    expect(change?.will).toBe('# lvsctl: NAT\nnet.ipv4.ip_forward = 1\n# lvsctl: why\nnet.ipv4.conf.all.arp_ignore = 1\n');
    expect(renderSh(change?.run ?? { parts: [] }, String)).not.toContain('ip_forward');
  });

  test('is not written where another file says the same', () => {
    expect(keepSysctls([file('/etc/sysctl.d/50-arp.conf', 'net.ipv4.conf.*.arp_ignore = 1')], mine)).toEqual([]);
  });

  test('does not count as right while /etc/sysctl.conf, linked or not, says otherwise', () => {
    const classic = file('/etc/sysctl.conf', 'net.ipv4.conf.all.arp_ignore = 0');
    const linked = { ...classic, path: '/etc/sysctl.d/99-sysctl.conf', real: '/etc/sysctl.conf' };
    const own = file(mine.file, 'net.ipv4.conf.all.arp_ignore = 1');
    for (const files of [
      [own, classic],
      [own, linked, classic],
    ]) {
      expect(keepSysctls(files, mine).map(({ id }) => id)).toEqual(['override:/etc/sysctl.conf']);
    }
  });

  test('after the planned changes every reader comes to the wanted value, and nothing is left to plan', () => {
    fc.assert(
      fc.property(fc.array(trees), (files) => {
        const distinct = [...new Map(files.map((each) => [each.path, each])).values()];
        const after = applied(distinct, keepSysctls(distinct, mine));
        expect(persistedLines(after, path).map((line) => line?.value)).toEqual(['1', '1']);
        expect(keepSysctls(after, mine)).toEqual([]);
      }),
    );
  });

  const line = fc.constantFrom(
    ...[
      'net.ipv4.conf.all.arp_ignore = 0',
      'net/ipv4/conf/all/arp_ignore=1',
      '-net.ipv4.conf.all.arp_ignore',
      'net.ipv4.conf.*.arp_ignore = 2',
    ],
    ...['- net.ipv4.conf.all.arp_ignore = 0', '# lvsctl: other', 'vm.swappiness = 1', ''],
  );
  const folder = fc.constantFrom('/etc/sysctl.d', '/run/sysctl.d', '/usr/lib/sysctl.d');
  const place = fc.oneof(
    fc.tuple(folder, fc.constantFrom('10-a.conf', '90-lvsctl.conf', '99-z.conf')).map((parts) => parts.join('/')),
    fc.constant('/etc/sysctl.conf'),
  );
  const trees = fc.tuple(place, fc.array(line, { maxLength: 4 })).map(([where, lines]) => file(where, ...lines));
});

describe('what cannot be set', () => {
  const refusal = (values: Record<string, number>) => () => sysctl.plan(seen([]), sysctl.params.parse({ values }), planContext());

  test('a key that the kernel lost is refused with the reason', () => {
    expect(refusal({ 'net.ipv4.tcp_tw_recycle': 1 })).toThrow('no such key: net.ipv4.tcp_tw_recycle; it was removed in Linux 4.12');
  });

  test('a key of a module that is not loaded yet is left for the run, and says what it needs', () => {
    const director = sysctl.params.parse({ values: { 'net.ipv4.vs.expire_nodest_conn': 1 } });
    expect(sysctl.plan(seen([]), director, planContext()).map(({ id }) => id)).toContain('live:net.ipv4.vs.expire_nodest_conn');
    expect(sysctl.needs?.(director)).toEqual(['module:ip_vs']);
  });

  test.each(['net/../../etc/shadow', 'net.ipv4.conf.*.arp_ignore', '-net.ipv4.ip_forward', '/etc', 'net..ip', 'a=b', 'ip_forward'])(
    'no key: %s',
    (key) => {
      expect(sysctl.params.safeParse({ values: { [key]: 1 } }).success).toBe(false);
    },
  );

  test('the same key in two notations is refused', () => {
    expect(sysctl.params.safeParse({ values: { 'net.ipv4.ip_forward': 1, 'net/ipv4/ip_forward': 0 } }).success).toBe(false);
  });
});

function applied(files: readonly SysctlFile[], changes: readonly { readonly id: string; readonly will: string }[]): readonly SysctlFile[] {
  return changes.reduce<readonly SysctlFile[]>((all, { id, will }) => {
    const path = id.replace(/^\w+:/, '');
    return [...all.filter((each) => each.path !== path), { path, real: path, content: will }];
  }, files);
}
