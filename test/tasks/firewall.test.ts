import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import firewall from '../../src/tasks/firewall.ts';
import { planContext } from '../support/plan-context.ts';

const service = (name: string, active: string, enabled: string) =>
  `Id=${name}.service\nActiveState=${active}\nUnitFileState=${enabled}\n\n`;
const zone = (name: string, fields: Readonly<Record<string, string>>) =>
  [
    name,
    ...Object.entries({ target: 'default', interfaces: '', ports: '', protocols: '', ...fields }).map(
      ([key, value]) => `  ${key}: ${value}`,
    ),
  ]
    .map((line) => `live|${line}\npersisted|${line}\n`)
    .join('');

const ids = (params: object, stdout: string) => {
  const want = firewall.params.parse(params);
  return firewall.plan(firewall.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext()).map(({ id }) => id);
};

const director = {
  state: 'managed',
  role: 'director',
  services: [{ vip: '10.18.43.30', port: 80, forward: 'nat' }],
  vrrp_peers: ['10.18.43.20'],
  interfaces: ['eth0'],
};

describe('off', () => {
  test('running and starting at boot are two changes, stops first', () => {
    const both = service('firewalld', 'active', 'enabled') + service('nftables', 'active', 'enabled');
    expect(ids({ state: 'off' }, both)).toEqual([
      'live:firewalld.service',
      'live:nftables.service',
      'persisted:firewalld.service',
      'persisted:nftables.service',
    ]);
    expect(ids({ state: 'off' }, service('firewalld', 'inactive', 'enabled'))).toEqual(['persisted:firewalld.service']);
    expect(ids({ state: 'off' }, service('firewalld', 'active', 'disabled'))).toEqual(['live:firewalld.service']);
  });

  test('one unit under two names, and a ufw that is switched off, are no second firewall', () => {
    const debian = service('netfilter-persistent', 'active', 'disabled').repeat(2) + service('ufw', 'active', 'enabled');
    expect(ids({ state: 'off' }, `${debian}\nufw=no\n`)).toEqual(['live:netfilter-persistent.service']);
    expect(ids({ state: 'off' }, `${debian}\nufw=yes\n`)).toContain('live:ufw.service');
  });
});

describe('managed', () => {
  const active = service('firewalld', 'active', 'enabled');

  test('a real server that is pinged admits pings of the directors, of the family in which they ask', () => {
    const pinged = { state: 'managed', role: 'backend', pinged: ['10.18.43.13'], directors: ['10.18.43.10', 'fd79::10'] };
    const zones = zone('public', { interfaces: 'eth0' });
    expect(ids(pinged, `${active}\nzones\n${zones}\nchains\n`)).toEqual([
      'live:public:ping from 10.18.43.10',
      'persisted:public:ping from 10.18.43.10',
    ]);
    const rich = `live|\trule family="ipv4" source address="10.18.43.10" icmp-type name="echo-request" accept\n`;
    expect(ids(pinged, `${active}\nzones\n${zones}${rich}${rich.replace('live', 'persisted')}\nchains\n`)).toEqual([]);
    const six = { ...pinged, pinged: ['fd79::13'] };
    expect(ids(six, `${active}\nzones\n${zones}\nchains\n`)).toEqual([
      'live:public:ping from fd79::10',
      'persisted:public:ping from fd79::10',
    ]);
    const ufw = [
      'iptables|*filter',
      'iptables|:INPUT DROP [0:0]',
      'iptables|:ufw-before-input - [0:0]',
      'iptables|-A INPUT -j ufw-before-input',
      'iptables|COMMIT',
    ];
    const own = 'type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 640\nsize 16\ncontent\n|*filter\n|COMMIT\n\n.\n\nend\n';
    const seen = `${service('ufw', 'active', 'enabled')}ufw=yes\n\nzones\n\nchains\n${ufw.join('\n')}\n\nfiles\ntype missing\n\nend\n\nufw\n${own}${own}`;
    expect(ids(pinged, seen)).toEqual(['live:iptables ufw-before-input:ping from 10.18.43.10', 'content:/etc/ufw/before.rules']);
  });

  test('a firewall that drops nothing needs nothing; one whose rules cannot be seen is refused', () => {
    const nftables = service('nftables', 'active', 'enabled');
    expect(ids(director, nftables)).toEqual([]);
    const want = firewall.params.parse(director);
    const seen = firewall.parse({ stdout: nftables, stderr: 'nft: cache initialization failed\n', exit: 1 }, want);
    expect(() => firewall.plan(seen, want, planContext())).toThrow(
      'nftables.service is active, but its rules cannot be seen: nft: cache initialization failed',
    );
  });

  test('an active firewalld that does not answer is refused, not taken for an open one', () => {
    expect(() => ids(director, `${active}\nzones\n`)).toThrow('firewalld is active but does not answer');
  });

  test('a backend needs the port alone, and no VRRP', () => {
    const found = `${active}\nzones\n${zone('public (active)', { interfaces: 'eth0' })}`;
    expect(ids({ ...director, role: 'backend' }, found)).toEqual(['live:public:80/tcp', 'persisted:public:80/tcp']);
  });

  test('a backend admits what directors ask it from them, or from anybody where it is not said who they are, and tunnels from addresses of its own family', () => {
    const found = `${active}\nzones\n${zone('public (active)', { interfaces: 'eth0' })}`;
    const backend = {
      ...director,
      role: 'backend',
      services: [{ vip: '10.18.43.30', port: 80, forward: 'tun' }],
      asked: [
        { rip: '10.18.43.13', port: 8081 },
        { rip: '10.18.43.14', port: 8081 },
        { rip: '10.18.43.13', port: 80 },
      ],
      directors: ['10.18.43.10', '192.168.7.2', 'fd79::10'],
      vrrp_peers: [],
    };
    const live = (params: object) => ids(params, found).filter((id) => id.startsWith('live:'));
    expect(live(backend)).toEqual([
      'live:public:80/tcp',
      'live:public:8081/tcp from 10.18.43.10',
      'live:public:8081/tcp from 192.168.7.2',
      'live:public:tunnel (4) from 10.18.43.10',
      'live:public:tunnel (4) from 192.168.7.2',
    ]);
    expect(live({ ...backend, directors: [] })).toEqual(['live:public:80/tcp', 'live:public:8081/tcp']);
  });

  test('adverts over IPv6 come from link-local addresses', () => {
    const found = `${active}\nzones\n${zone('public (active)', { interfaces: 'eth0' })}`;
    const six = { ...director, services: [{ vip: 'fd79::30', port: 80, forward: 'nat' }], vrrp_peers: ['fd79::20'] };
    expect(ids(six, found)).toContain('live:public:vrrp on the link');
    expect(ids(director, found)).not.toContain('live:public:vrrp on the link');
  });

  test('whoever has VRRP peers is a director, unless it is said otherwise', () => {
    const found = `${active}\nzones\n${zone('public (active)', { interfaces: 'eth0', ports: '80/tcp' })}`;
    const { role: _, ...unsaid } = director;
    expect(ids(unsaid, found)).toEqual(ids(director, found));
    expect(ids(unsaid, found)).toContain('live:public:vrrp from 10.18.43.20');
  });

  test('a NIC in no zone is in the default one, and a zone that accepts all needs nothing', () => {
    const none = `${active}\nzones\ndefault|home\n${zone('home', {})}${zone('public', {})}`;
    expect(ids({ ...director, vrrp_peers: [] }, none)).toEqual(['live:home:80/tcp', 'persisted:home:80/tcp']);
    expect(ids(director, `${active}\nzones\n${zone('trusted (active)', { target: 'ACCEPT', interfaces: 'eth0' })}`)).toEqual([]);
  });

  test('a range that ends before the port does not admit it', () => {
    const range = (ports: string) =>
      ids({ ...director, vrrp_peers: [] }, `${active}\nzones\n${zone('public', { interfaces: 'eth0', ports })}`);
    expect(range('22/tcp 70-80/tcp')).toEqual([]);
    expect(range('70-79/tcp 80/udp')).toEqual(['live:public:80/tcp', 'persisted:public:80/tcp']);
  });

  test('a NIC that no zone names is in the default one, whatever zones have others', () => {
    const found = `${active}\nzones\ndefault|home\n${zone('home', {})}${zone('public (active)', { interfaces: 'eth1' })}`;
    const any = { ...director, vrrp_peers: [], interfaces: [] };
    expect(ids(any, found).filter((id) => id.startsWith('live:'))).toEqual(['live:public:80/tcp', 'live:home:80/tcp']);
  });

  describe('zones that have senders', () => {
    const live = (params: object, ...zones: readonly string[]) =>
      ids(params, `${active}\nzones\n${zones.join('')}`).filter((id) => id.startsWith('live:'));
    const nic = zone('public (active)', { interfaces: 'eth0' });
    const onNic = ['live:public:80/tcp', 'live:public:vrrp from 10.18.43.20', 'live:public:igmp'];

    test('are asked before those of NICs: peers and clients are admitted there too', () => {
      const all = ['live:internal:80/tcp', 'live:internal:vrrp from 10.18.43.20', 'live:internal:igmp'];
      const unknown = ['ipset:friends', '52:54:00:12:34:56', '10.18.43.0/255.255.255.0'];
      for (const sources of ['10.18.43.0/24', '192.168.7.0/24 10.18.43.20', ...unknown])
        expect(live(director, nic, zone('internal (active)', { sources }))).toEqual([...onNic, ...all]);
      const elsewhere = zone('internal (active)', { sources: '192.168.7.0/24 fd79::/64' });
      expect(live(director, nic, elsewhere)).toEqual([...onNic, 'live:internal:80/tcp', 'live:internal:igmp']);
    });

    test('keep out whom they keep out, a peer excepted', () => {
      for (const target of ['DROP', '%%REJECT%%'])
        for (const sources of ['203.0.113.0/24', 'ipset:banned'])
          expect(live(director, nic, zone('drop', { target, sources }))).toEqual(onNic);
      const peer = zone('drop', { target: 'DROP', sources: '10.18.43.0/24' });
      expect(live(director, nic, peer)).toEqual([...onNic, 'live:drop:vrrp from 10.18.43.20']);
      const some = zone('office', { target: 'DROP', sources: '203.0.113.0/24', services: 'ssh' });
      expect(live(director, nic, some)).toEqual([...onNic, 'live:office:80/tcp', 'live:office:igmp']);
    });

    test('now and after a reboot may be two', () => {
      const now = zone('internal', { sources: '10.18.43.20' }).replaceAll('persisted|  sources: 10.18.43.20', 'persisted|  sources: ');
      expect(ids(director, `${active}\nzones\n${nic}${now}`).filter((id) => id.includes('internal'))).toEqual([
        'live:internal:80/tcp',
        'live:internal:vrrp from 10.18.43.20',
        'live:internal:igmp',
      ]);
    });
  });

  describe('what comes out of a tunnel', () => {
    const tunnelled = {
      ...{ state: 'managed', role: 'backend', directors: ['10.18.43.10'] },
      services: [{ vip: '10.18.43.30', port: 80, forward: 'tun' }],
    };
    const live = (zones: string, more: object = {}) =>
      ids({ ...tunnelled, ...more }, `${active}\nzones\ndefault|home\n${zones}`).filter((id) => id.startsWith('live:'));
    const inZone = (name: string) => [`live:${name}:80/tcp`, `live:${name}:tunnel (4) from 10.18.43.10`];
    const nic = zone('public (active)', { interfaces: 'eth0 eth1' });

    test('is in the default zone, before its device is there too', () => {
      expect(live(zone('home', {}) + nic)).toEqual([...inZone('public'), ...inZone('home')]);
      expect(live(zone('home', {}) + nic, { interfaces: ['eth0'] })).toEqual([...inZone('public'), ...inZone('home')]);
      expect(live(zone('home', {}) + nic, { services: [{ ...tunnelled.services[0], forward: 'dr' }] })).toEqual(['live:public:80/tcp']);
    });

    test('is in the zone that names its device', () => {
      const named = zone('home', {}) + zone('internal', { interfaces: 'tunl0' }) + nic;
      expect(live(named)).toEqual([...inZone('internal'), ...inZone('public')]);
      expect(live(named, { interfaces: ['eth0'] })).toEqual([...inZone('internal'), ...inZone('public')]);
    });
  });

  describe('replies of real servers behind NAT', () => {
    const nat = {
      ...director,
      vrrp_peers: [],
      services: [{ ...director.services[0], real_servers: [{ rip: '10.18.43.13', port: 8080 }] }],
    };
    const open = `${active}\nzones\n${zone('public (active)', { interfaces: 'eth0', ports: '80/tcp' })}`;
    const rule = 'rule family="ipv4" source address="10.18.43.13" source-port port="8080" protocol="tcp" accept';
    const policy = (word: string, rules: string) => `${word}-policy|lvsctl-replies (active)\n${rules && `${word}-policy|\t${rules}\n`}`;
    const pending = (stdout: string) => {
      const want = firewall.params.parse(nat);
      return firewall.pendingReboot?.(firewall.parse({ stdout, stderr: '', exit: 0 }, want), want) ?? [];
    };
    const reply = 'replies of 10.18.43.13:8080/tcp';

    test('a direct rule where firewalld knows no policies, or works with iptables', () => {
      const direct = [`live:direct:${reply}`, `persisted:direct:${reply}`];
      expect(ids(nat, open)).toEqual(direct);
      expect(ids(nat, `${open}backend|iptables\npolicies|known\n`)).toEqual(direct);
      expect(pending(open)).toEqual([]);
    });

    test('else a policy, which is made for the next start and filled in both', () => {
      const known = `${open}backend|nftables\npolicies|known\n`;
      expect(ids(nat, known)).toEqual(['persisted:policy:lvsctl-replies', `persisted:policy:${reply}`]);
      expect(pending(known)).toHaveLength(1);
      expect(ids(nat, known + policy('persisted', rule))).toEqual([]);
      const loaded = known + policy('persisted', rule) + policy('live', '');
      expect(ids(nat, loaded)).toEqual([`live:policy:${reply}`]);
      expect(pending(loaded)).toEqual([]);
      expect(ids(nat, known + policy('persisted', rule) + policy('live', rule))).toEqual([]);
    });
  });

  test('firewalld is never reloaded, started or stopped', () => {
    const want = firewall.params.parse({ ...director, services: [{ vip: '10.18.43.30', port: 80 }] });
    const seen = firewall.parse({ stdout: `${active}\nzones\n${zone('public', { interfaces: 'eth0' })}`, stderr: '', exit: 0 }, want);
    const runs = firewall.plan(seen, want, planContext()).map(({ run }) => renderSh(run, String));
    expect(runs).toHaveLength(12);
    expect(
      runs.filter((run) => !/^firewall-cmd ( |--permanent )('--zone=public' '--add-(port|rich-rule)=|--direct --add-rule )/.test(run)),
    ).toEqual([]);
  });
});

test('untouched looks at nothing and plans nothing', () => {
  expect(renderSh(firewall.probe(firewall.params.parse({})), String)).toBe(':');
  expect(ids({}, service('firewalld', 'active', 'enabled'))).toEqual([]);
});
