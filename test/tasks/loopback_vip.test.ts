import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import loopbackVip from '../../src/tasks/loopback_vip.ts';
import { loopbackUnit, unitNameOf, unitPathOf } from '../../src/tasks/support/addresses/loopback-unit.ts';
import { planContext } from '../support/plan-context.ts';

const [unitName, unitPath] = [unitNameOf('lo'), unitPathOf('lo')];
const want = loopbackVip.params.parse({ addresses: ['10.18.43.30', '10.18.43.31'] });
const places = want.addresses.map((address) => `${address}/32`);

interface Host {
  readonly unit?: string;
  readonly enabled?: boolean;
  /** `ADDRESS/PREFIX` or `ADDRESS/PREFIX SCOPE` on lo. */
  readonly live?: readonly string[];
  readonly device?: boolean;
}

/** A converged host, but for what is said. */
function stdout({ unit = loopbackUnit(want.addresses, 'lo'), enabled = true, live = places, device = true }: Host): string {
  const header = `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 644\nsize ${unit.length}\ncontent\n${unit.replace(/^(?=.)/gm, '|')}\n.\n\nend\n`;
  const addresses = live.map((each) => {
    const [place, scope = 'global'] = each.split(' ');
    return `1: lo    inet ${place} scope ${scope} lo\\       valid_lft forever preferred_lft forever\n`;
  });
  return `${header}${enabled ? 'enabled\n' : ''}${device ? 'device\n' : ''}${addresses.join('')}`;
}

const plan = (host: Host, params = want) =>
  loopbackVip.plan(loopbackVip.parse({ stdout: stdout(host), stderr: '', exit: 0 }, params), params, planContext());
const ids = (host: Host, params = want) => plan(host, params).map(({ id }) => id);

describe('now and after a reboot are compared apart', () => {
  test('an address that is gone is one change, of that address', () => {
    fc.assert(
      fc.property(fc.subarray([...want.addresses]), (there) => {
        const gone = want.addresses.filter((address) => !there.includes(address));
        expect(ids({ live: there.map((address) => `${address}/32`) })).toEqual(gone.map((address) => `live:${address}`));
      }),
    );
  });

  test('a unit that is not enabled, or has other text, is one change each', () => {
    expect(ids({ enabled: false })).toEqual([`persisted:${unitName}`]);
    expect(ids({ unit: loopbackUnit(want.addresses, 'lo').replace('Before=', 'After=') })).toEqual([`content:${unitPath}`]);
  });
});

describe('masks and scopes', () => {
  test('a wider mask is its own change, which says why; /32 comes before it goes', () => {
    const [change, ...others] = plan({ live: ['10.18.43.30/24', '10.18.43.31/32'] });
    expect(others).toEqual([]);
    expect(change).toMatchObject({ id: 'mask:10.18.43.30/24', title: expect.stringContaining('takes the whole subnet for its own') });
    expect(renderSh(change?.run ?? { parts: [] }, String)).toMatch(
      /addr replace 10\.18\.43\.30\/32 dev lo[\s\S]*addr del 10\.18\.43\.30\/24 dev lo/,
    );
  });

  test('a scope that nobody outside can reach is mended', () => {
    expect(ids({ live: ['10.18.43.30/32 host', '10.18.43.31/32'] })).toEqual(['live:10.18.43.30']);
  });

  test('addresses that nobody asked about stay', () => {
    expect(ids({ live: ['127.0.0.1/8 host', '192.0.2.1/32', ...places] })).toEqual([]);
  });
});

describe('a VIP that is no longer wanted', () => {
  const fewer = { ...want, addresses: ['10.18.43.31'] };

  test('goes from lo, because our unit put it there, and from the unit', () => {
    expect(ids({}, fewer)).toEqual(['stale:10.18.43.30@lo', `content:${unitPath}`]);
    expect(ids({ live: ['10.18.43.31/32'] }, fewer)).toEqual([`content:${unitPath}`]);
  });

  test('stays when somebody else put it there', () => {
    expect(ids({ unit: loopbackUnit(['10.18.43.31'], 'lo') }, fewer)).toEqual([]);
  });
});

test('no address is added while ARP would answer for it', () => {
  const adding = plan({ live: [] }).map(({ run }) => renderSh(run, String));
  expect(adding).toHaveLength(2);
  expect(adding.filter((run) => run.indexOf('arp_ignore') < 0 || run.indexOf('arp_ignore') > run.indexOf('ip addr'))).toEqual([]);
  expect(loopbackVip.needs?.(want)).toEqual(['sysctl:net.ipv4.conf.all.arp_ignore']);
});

test('at boot the addresses come after the sysctls and before nginx', () => {
  const unit = loopbackUnit(['10.18.43.30'], 'lo');
  expect(unit).toMatch(/^After=.*\bsystemd-sysctl\.service\b/m);
  expect(unit).toMatch(/^Before=.*\bnginx\.service\b/m);
});

test('a device that is not there, and a host without systemd, are refused', () => {
  expect(() => plan({ device: false })).toThrow('there is no interface lo');
  const seen = loopbackVip.parse({ stdout: stdout({}), stderr: '', exit: 0 }, want);
  expect(() => loopbackVip.plan(seen, want, planContext({ facts: { init: 'other' } }))).toThrow('this host has no systemd');
});

test('IPv6 is a /128 that is used at once, however it is written, and asks nothing of ARP', () => {
  const six = loopbackVip.params.parse({ addresses: ['FD00:0::0030'], device: 'tunl0' });
  const [change] = plan({ live: [] }, six);
  expect(change?.id).toBe('live:fd00::30');
  const run = renderSh(change?.run ?? { parts: [] }, String);
  expect(run).toContain('ip addr replace fd00::30/128 dev tunl0 scope global nodad');
  expect(run).not.toContain('arp_ignore');
  const there = `1: tunl0    inet6 fd00::30/128 scope global nodad \\       valid_lft forever preferred_lft forever\n`;
  const seen = loopbackVip.parse(
    { stdout: stdout({ unit: loopbackUnit(['fd00::30'], 'tunl0'), live: [] }) + there, stderr: '', exit: 0 },
    six,
  );
  expect(loopbackVip.plan(seen, six, planContext())).toEqual([]);
});

test('the end of a tunnel may come to be before the address does; the change itself wants it to be there', () => {
  const tunnel = { ...want, device: 'tunl0' };
  const [change] = plan({ device: false, live: [], unit: '' }, tunnel);
  expect(renderSh(change?.run ?? { parts: [] }, String)).toContain('there is no interface tunl0');
  expect(loopbackVip.needs?.(tunnel)).toContain('interface:tunl0');
});

test('only addresses, each once, without a mask', () => {
  for (const addresses of [['10.18.43.30', '10.18.43.30'], ['10.18.43.30/24'], ['fe80::1', 'fe80:0::1'], ['web1']]) {
    expect(loopbackVip.params.safeParse({ addresses }).success).toBe(false);
  }
});
