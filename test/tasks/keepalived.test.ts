import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LvsError } from '../../src/errors.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { renderSh } from '../../src/sh/sh.ts';
import keepalived from '../../src/tasks/keepalived.ts';
import { keepalivedConf } from '../../src/tasks/support/keepalived/conf.ts';
import { planContext, s0Fleet } from '../support/plan-context.ts';

type Params = typeof keepalived.example;
type Service = Params['services'][number];
type Instance = Params['vrrp']['instances'][number];

const s0 = keepalived.example;
const [service] = s0.services as [Service, ...Service[]];
const [instance] = s0.vrrp.instances as [Instance, ...Instance[]];
const withInstance = (more: Partial<Instance>): Params => ({ ...s0, vrrp: { ...s0.vrrp, instances: [{ ...instance, ...more }] } });
const http: Service = {
  ...service,
  vip: '10.18.43.31',
  port: 8080,
  scheduler: 'wrr',
  check: { ...service.check, kind: 'http', path: '/healthz?x=1', hostHeader: 'www.example.com', status: 204, delayLoop: 0.5 },
  realServers: service.realServers.map((server, index) => ({ ...server, port: 8080, weight: index + 1 })),
};

test('takes an inventory as it is', () => {
  const params = { router_id: 'dr1', priorities: { lvs: 100 }, vrrp: s0Fleet.vrrp, services: s0Fleet.services };
  expect(keepalived.params.parse(params)).toEqual(params);
});

test("a script is told the port that every other check asks: its own, then the real server's", () => {
  const asked = (port?: number) => {
    const check = { ...service.check, kind: 'misc' as const, script: 'check.sh', arguments: ['{rip}', '{port}'], ...(port && { port }) };
    const text = keepalivedConf({ ...s0, services: [{ ...service, check }] }, '2.2.7');
    return /check\.sh ([\d.]+ \d+)/.exec(text)?.[1];
  };
  const [{ rip, port } = { rip: '', port: 0 }] = service.realServers;
  expect(asked()).toBe(`${rip} ${port}`);
  expect(asked(4000)).toBe(`${rip} 4000`);
});

describe('the keywords follow the version', () => {
  const text = (version: string) => keepalivedConf(s0, version);

  test.each([
    ['reload_file ', '2.2.0', '2.1.5'],
    ['vrrp_garp_extra_if ', '2.2.3', '2.2.2'],
  ])('%s comes with %s, not with %s', (keyword, since, before) => {
    expect(text(since)).toContain(keyword);
    expect(text(before)).not.toContain(keyword);
  });

  test.each([
    ['debian', '12', '2.2.7'],
    ['rocky', '9.4', '2.2.8'],
    ['almalinux', '8.10', '2.1.5'],
    ['gentoo', '2.15', '2.1.0'],
  ])('%s %s without keepalived is planned for %s, so that nothing changes once it is installed', (distribution, release, version) => {
    const context = planContext({ host: 'dr1', facts: { distribution, release } });
    const seen = keepalived.parse({ stdout: 'type missing\n\nend\nprocess none\n', stderr: '', exit: 0 }, s0);
    expect(keepalived.plan(seen, s0, context)[0]?.will).toBe(text(version));
  });

  test('before the installation they follow what the package manager would install, or what an earlier step builds', () => {
    const stdout = 'type missing\n\nend\nkeepalived:\n  Installed: (none)\n  Candidate: 1:2.1.5-1\nprocess none\n';
    const will = (params: Params) => {
      const want = keepalived.params.parse(params);
      return keepalived.plan(keepalived.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ host: 'dr1' }))[0]?.will;
    };
    expect(will(s0)).toBe(text('2.1.5'));
    expect(will({ ...s0, version: '2.3.3' })).toBe(text('2.3.3'));
  });

  test.each<[string, string, string, Partial<Params>]>([
    ['regex', '2.0.7', '2.0.6', withCheck({ kind: 'http', regex: 'ok' })],
    ['lvs_sched mh', '2.0.7', '2.0.6', withService({ scheduler: 'mh' })],
    ['mh-port and mh-fallback', '2.0.20', '2.0.19', withService({ scheduler: 'mh', schedulerFlags: ['mh-port'] })],
    ['track_process', '2.0.11', '2.0.10', withInstance({ trackProcesses: ['nginx'] })],
    ['PING_CHECK', '2.1.0', '2.0.20', withCheck({ kind: 'ping' })],
    ['UDP_CHECK', '2.1.0', '2.0.20', withCheck({ kind: 'udp' })],
    ['lvs_sched twos', '2.2.5', '2.2.4', withService({ scheduler: 'twos' })],
  ])('%s is refused before %s', (keyword, since, before, more) => {
    const want = keepalived.params.parse({ ...s0, ...more });
    const stdout = 'type missing\n\nend\n';
    const plan = (version: string) => {
      const versioned = { ...want, version };
      return keepalived.plan(keepalived.parse({ stdout, stderr: '', exit: 0 }, versioned), versioned, planContext({ host: 'dr1' }));
    };
    expect(plan(since)).toHaveLength(1);
    expect(() => plan(before)).toThrow(`keepalived ${before} has no ${keyword}`);
  });

  test('weight 0 is refused where keepalived does not keep it', () => {
    const [first, ...rest] = service.realServers as [Service['realServers'][number], ...Service['realServers']];
    const params = { ...s0, services: [{ ...service, realServers: [{ ...first, weight: 0 }, ...rest] }] };
    const seen = (version: string) =>
      keepalived.parse({ stdout: `type missing\n\nend\nversion Keepalived v${version}\n`, stderr: '', exit: 0 }, s0);
    expect(() => keepalived.plan(seen('2.1.5'), params, planContext())).toThrow('does not keep weight 0 of web1');
    expect(keepalived.plan(seen('2.2.7'), params, planContext())).toHaveLength(1);
  });
});

describe('a password that is a secret', () => {
  const params = withInstance({ authPass: secretSlot('vrrp') });
  const context = planContext({ host: 'dr1', resolve: (text) => text.replace(secretSlot('vrrp'), 's3c#et!') });
  const on = (content: string) => {
    const body = content
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `|${line}\n`)
      .join('');
    const header = `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 640\nsize ${content.length}\ncontent\n`;
    return keepalived.parse(
      { stdout: `${header}${body}\n.\n\nend\nversion Keepalived v2.2.7\nprocess loaded\n`, stderr: '', exit: 0 },
      params,
    );
  };
  const resolved = keepalivedConf(params, '2.2.7').replace(secretSlot('vrrp'), 's3c#et!');

  test('is compared by its value', () => {
    expect(resolved).toContain('auth_pass "s3c#et!"');
    expect(keepalived.plan(on(resolved), params, context)).toEqual([]);
  });

  test('is a slot in what is planned, and changing it is of risk split', () => {
    const [change] = keepalived.plan(on(resolved.replace('s3c#et!', 'older')), params, context);
    expect(change?.risk).toBe('split');
    expect(JSON.stringify(change)).not.toContain('s3c#et!');
    expect(renderSh(change?.run ?? { parts: [] }, (value) => value)).toContain(secretSlot('vrrp'));
  });
});

const second = { address: '10.18.43.31', prefix: 32, interface: 'eth1' };

function withoutPassword(params: Params): Params {
  const instances = params.vrrp.instances.map(({ authPass: _, ...each }) => each);
  return { ...params, vrrp: { ...params.vrrp, instances } };
}

test.each<[string, Partial<Params>, string | undefined]>([
  ['priority', { priorities: { lvs: 90 } }, undefined],
  ['a real server', { services: [{ ...service, realServers: service.realServers.slice(0, 1) }] }, undefined],
  ['a second VIP, which adverts do not name', withInstance({ addresses: [...instance.addresses, second] }), undefined],
  ['the VIP that adverts name', withInstance({ addresses: [second] }), 'split'],
  ['virtual_router_id', withInstance({ id: 52 }), 'split'],
  ['the advert interval', withInstance({ advert: 2 }), 'split'],
  ['the version', withoutPassword(withInstance({ version: 3 })), 'split'],
  ['the password', withInstance({ authPass: '2222' }), 'split'],
  [
    'multicast to unicast',
    { ...withInstance({ unicast: true }), unicast: { lvs: { own: '10.18.43.10', peers: ['10.18.43.20'] } } },
    'split',
  ],
  ['the mode', withInstance({ mode: 'master-backup' }), undefined],
])('changing %s under a running keepalived has the right risk', (_, difference, risk) => {
  const golden = JSON.parse(readFileSync(new URL('../golden/tasks/keepalived/as-wanted.json', import.meta.url), 'utf8'));
  const seen = keepalived.parse({ stdout: `${golden.output.stdout.join('\n')}\n`, stderr: '', exit: 0 }, s0);
  const changes = keepalived.plan(seen, { ...s0, ...difference }, planContext({ host: 'dr1' }));
  expect(changes.map((change) => [change.id, change.risk, change.notify])).toEqual([
    ['content:/etc/keepalived/keepalived.conf', risk, ['keepalived.reload']],
  ]);
});

/** What a director with a keepalived that runs with `s0` has said, and in the end this. */
function running(more: string, want: Params = s0) {
  const golden = JSON.parse(readFileSync(new URL('../golden/tasks/keepalived/as-wanted.json', import.meta.url), 'utf8'));
  return keepalived.parse({ stdout: `${golden.output.stdout.join('\n')}\n${more}`, stderr: '', exit: 0 }, want);
}

describe('a VRID that keepalived has not yet', () => {
  const heard = (id: number, source: string) =>
    `vrrp listening\nvrrp listened eth0 ipv4\nvrrp advert eth0 ipv4 ${id} 2 ${source} 10.18.43.77\n`;
  const want = withInstance({ id: 77 });
  const plan = (said: string) => keepalived.plan(running(said, want), want, planContext({ host: 'dr1' }));

  test('is refused where somebody else has it, also while keepalived runs', () => {
    expect(() => plan(heard(77, '10.18.43.99'))).toThrow('VRID 77 is in use on eth0: 10.18.43.99 sends adverts for 10.18.43.77');
  });

  test('is not where the other director has it, and what the old one hears is no matter', () => {
    expect(plan(heard(77, '10.18.43.20'))).toHaveLength(1);
    expect(plan(heard(instance.id, '10.18.43.99'))).toHaveLength(1);
    expect(keepalived.plan(running(heard(instance.id, '10.18.43.99')), s0, planContext({ host: 'dr1' }))).toEqual([]);
  });
});

describe('a VIP that moves from one instance to another', () => {
  const vip = (last: number) => ({ address: `10.18.43.${last}`, prefix: 32, interface: 'eth1' });
  const held = (first: readonly number[], second: readonly number[], name = 'other'): Params => ({
    ...s0,
    priorities: { lvs: 100, [name]: 100 },
    vrrp: {
      ...s0.vrrp,
      instances: [
        { ...instance, addresses: first.map(vip) },
        ...(second.length > 0 ? [{ ...instance, instance: name, id: 52, addresses: second.map(vip) }] : []),
      ],
    },
  });
  /** On a director that runs with the one, or whose keepalived is stopped. */
  const plan = (now: Params, want: Params, state = 'loaded') => {
    const lines = keepalivedConf(now, '2.2.7').replace(/\n$/, '').split('\n');
    const file = [
      'type file',
      'owner root',
      'group root',
      'mode 640',
      'size 1',
      'content',
      ...lines.map((line) => `|${line}`),
      '',
      '.',
      '',
      'end',
    ];
    const stdout = `${file.join('\n')}\nversion Keepalived v2.2.7\nprocess ${state}\n`;
    return keepalived.plan(keepalived.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ host: 'dr1' }));
  };

  test('is refused: one reload may lose it', () => {
    for (const pair of [[held([30, 31], [32]), held([30], [32, 31])] as const, [held([30], [32, 31]), held([30, 31], [32])] as const]) {
      expect(() => plan(...pair)).toThrow(
        /^10\.18\.43\.31 moves from (lvs to other|other to lvs), for which the keepalived that runs needs two/,
      );
    }
    expect(() => plan(held([30], [31]), held([31], [30]))).toThrow('moves from');
  });

  test('is not where it was away in between, where the other one is new or has another name, and where keepalived does not run', () => {
    expect(plan(held([30], [32]), held([30], [32, 31]))).toHaveLength(1);
    expect(plan(held([30, 31], []), held([30], [31]))).toHaveLength(1);
    expect(plan(held([30], [31]), held([30], [31], 'renamed'))).toHaveLength(1);
    expect(plan(held([30, 31], [32]), held([30], [32, 31]), 'none')).toHaveLength(1);
  });
});

const bad: readonly (readonly [string, object, string])[] = [
  ['priority 255', { priorities: { lvs: 255 } }, '<=254'],
  ['an instance without a priority', { priorities: {} }, 'the priority in lvs is missing'],
  ['VRID 256', withInstance({ id: 256 }), '<=255'],
  ['a fraction of a second between adverts', withInstance({ advert: 0.5 }), 'version 2 would round it'],
  ['adverts too rare for version 3', withoutPassword(withInstance({ advert: 41, version: 3 })), 'at most 40 seconds'],
  ['adverts in thousandths of a second', withoutPassword(withInstance({ advert: 0.125, version: 3 })), 'hundredths of a second'],
  ['a password in version 3', withInstance({ version: 3 }), 'it would be ignored'],
  ['IPv6 in version 2', withInstance({ family: 'ipv6' }), 'IPv6 has VRRP version 3 alone'],
  ['a delay where nothing is taken back', withInstance({ preemptDelay: 5 }), 'the delay would be ignored'],
  ['unicast without peers', withInstance({ unicast: true }), 'its own address and its peers are missing'],
  ['no peer at all', { unicast: { lvs: { own: '10.18.43.10', peers: [] } } }, 'falls back to multicast'],
  ['peers of the other family', { unicast: { lvs: { own: '10.18.43.10', peers: ['fd00::1'] } } }, 'not all ipv4'],
  ['a script that is not there', withInstance({ trackScripts: ['nowhere'] }), 'tracks a script that is not there'],
  [
    'an instance in two groups',
    {
      vrrp: {
        ...s0.vrrp,
        instances: [
          instance,
          { ...instance, instance: 'other', id: 52, addresses: [{ address: '10.18.43.31', prefix: 32, interface: 'eth1' }] },
        ],
        syncGroups: ['G', 'H'].map((name) => ({ name, instances: ['lvs', 'other'] })),
      },
      priorities: { lvs: 100, other: 100 },
    },
    'an instance is in two groups',
  ],
  [
    'two scripts of one name',
    { vrrp: { ...s0.vrrp, notify: 'a/notify.sh', alarm: 'b/notify.sh' } },
    'two scripts have one name, notify.sh',
  ],
  ['a blank in the name of a script', { vrrp: { ...s0.vrrp, notify: 'a/not ify' } }, 'a script named with'],
  ['a password that VRRP would cut', withInstance({ authPass: '123456789' }), '1 to 8 printable characters'],
  ['a quote in the password', withInstance({ authPass: 'a"b' }), 'without blanks, quotes'],
  ['a name that would be syntax', { router_id: 'dr1 }' }, 'letters, digits'],
  ['persistence 0', withService({ persistence: 0 }), '>=1'],
  ['DR to another port', withService({ port: 81 }), 'every real server listens on the port of the VIP'],
  ['no weight at all', withService({ realServers: service.realServers.map((server) => ({ ...server, weight: 0 })) }), 'weight 0'],
  ['a quorum that is never reached', withService({ quorum: 3 }), 'all real servers together weigh 2'],
  ['a hysteresis that eats the quorum', withService({ hysteresis: 1 }), 'less than the quorum of 1'],
  ['a hysteresis after which the quorum never comes back', withService({ quorum: 2, hysteresis: 1 }), 'it would never come back'],
  ['a netmask with gaps', withService({ persistenceGranularity: '255.0.255.0' }), 'a netmask such as'],
  ['a prefix longer than an address', withService({ persistenceGranularity: '129' }), 'from 1 to 128'],
  [
    'a lower threshold above the upper',
    withService({ realServers: service.realServers.map((server) => ({ ...server, upperThreshold: 5, lowerThreshold: 6 })) }),
    'the lower threshold is below',
  ],
  ['a sorry server on another port', withService({ sorryServer: { address: '127.0.0.1', port: 81 } }), 'the sorry server listens'],
  ['one packet at a time over TCP', withService({ onePacket: true }), 'only UDP'],
  ['a flag of another scheduler', withService({ schedulerFlags: ['sh-port'] }), 'sh-port is no flag of the scheduler rr'],
  ['a netmask for IPv6', withService({ vip: 'fd00::1', persistenceGranularity: '255.255.255.0' }), 'a prefix length for this VIP'],
  ['a real server of the other family', withService({ vip: 'fd00::1' }), '10.18.43.13 is of another family than fd00::1'],
  ['a real server twice', withService({ realServers: [...service.realServers, ...service.realServers] }), 'listed twice'],
  ['a service twice', { services: [service, service] }, 'listed twice'],
  ['a substitution in a path', { services: [{ ...http, check: { ...http.check, path: '/$x' } }] }, 'characters of a URL'],
  ['a type that keepalived does not ask for', withCheck({ kind: 'dns', type: 'SRV' }), 'a type that keepalived asks for'],
  ['a check of a script without a script', withCheck({ kind: 'misc' }), 'and no other, has a script'],
  ['half a second for a script', withCheck({ kind: 'misc', script: 'a.sh', timeout: 0.5 }), 'whole seconds'],
  ['an unknown key', { services: [{ ...service, nb_get_retry: 3 }] }, 'nb_get_retry'],
];

function withService(more: object) {
  return { services: [{ ...service, ...more }] };
}

function withCheck(more: object) {
  return withService({ check: { ...service.check, ...more } });
}

test.each(bad)('%s is refused', (_, difference, message) => {
  const result = keepalived.params.safeParse({ ...s0, ...difference });
  expect(result.success).toBe(false);
  expect(JSON.stringify(result.error?.issues)).toContain(message);
});

test('no value that it accepts becomes syntax', () => {
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_.:#!$@~"{} -]{1,8}$/), fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/));
  const withValue = (field: string, text: string): Params => {
    const check = {
      ...http.check,
      ...(field === 'path' && { path: `/${text}` }),
      ...(field === 'host' && { hostHeader: text }),
      ...(field === 'regex' && { regex: text }),
      ...(field === 'argument' && { kind: 'misc' as const, script: 'check.sh', arguments: [text] }),
    };
    const nics = field === 'nic' && { interface: text, vipInterface: text };
    const names = field === 'instance' && { instance: text };
    return {
      ...withInstance({ ...nics, ...names, ...(field === 'password' && { authPass: text }) }),
      router_id: field === 'router_id' ? text : 'dr1',
      priorities: { [field === 'instance' ? text : 'lvs']: 100 },
      services: [{ ...http, check }],
    };
  };
  /** Keyword and number of words of each line, as keepalived reads it: up to a comment. */
  const shape = (params: Params) =>
    keepalivedConf(params, '2.1.0')
      .split('\n')
      .slice(1)
      .map((line) =>
        line
          .replace(/"[^"]*"/g, 'quoted')
          .replace(/[#!].*/, '')
          .trim()
          .split(/\s+/),
      )
      .map((words) => [words[0], words.length]);
  fc.assert(
    fc.property(fc.constantFrom('router_id', 'instance', 'nic', 'password', 'path', 'host', 'regex', 'argument'), value, (field, text) => {
      const parsed = keepalived.params.safeParse(withValue(field, text));
      fc.pre(parsed.success);
      expect(shape(parsed.data as Params)).toEqual(shape(withValue(field, 'plain')));
    }),
    { numRuns: 500 },
  );
});

test('the refusals are for people', () => {
  const seen = keepalived.parse({ stdout: 'type directory\n\nend\n', stderr: '', exit: 0 }, s0);
  expect(() => keepalived.plan(seen, s0, planContext())).toThrow(LvsError);
});
