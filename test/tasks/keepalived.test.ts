import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LvsError } from '../../src/errors.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { renderSh } from '../../src/sh/sh.ts';
import keepalived, { keepalivedConf } from '../../src/tasks/keepalived.ts';
import { planContext, s0Fleet } from '../support/plan-context.ts';

type Params = typeof keepalived.example;
type Service = Params['services'][number];

const s0 = keepalived.example;
const [service] = s0.services as [Service, ...Service[]];
const http: Service = {
  ...service,
  vip: '10.18.43.31',
  port: 8080,
  scheduler: 'wrr',
  check: { ...service.check, kind: 'http', path: '/healthz?x=1', hostHeader: 'www.example.com', status: 204, delayLoop: 0.5 },
  realServers: service.realServers.map((server, index) => ({ ...server, port: 8080, weight: index + 1 })),
};
const { persistence: _, ...once } = http;

/** What is rendered, for which version of keepalived, in which golden file. The lab tests hold each against `keepalived -t`. */
const files: Readonly<Record<string, { readonly version: string; readonly params: Params }>> = {
  's0-dr1': { version: '2.2.7', params: s0 },
  's0-dr2': { version: '2.2.7', params: { ...s0, router_id: 'dr2', priority: 150 } },
  'two-vips-sync': {
    version: '2.3.3',
    params: { ...s0, sync: true, services: [service, { ...once, sorryServer: { address: '127.0.0.1', port: 8080 } }] },
  },
  'one-nic-preempt-nat-2.1.5': {
    version: '2.1.5',
    params: {
      router_id: 'dr1',
      priority: 150,
      vrrp: { instance: 'web', id: 7, interface: 'eth0', vipInterface: 'eth0', mode: 'master-backup', advert: 2 },
      services: [{ ...service, forward: 'nat', realServers: service.realServers.map((server) => ({ ...server, port: 8000 })) }],
    },
  },
};

test.each(Object.entries(files))('%s.conf', (name, { version, params }) => {
  const golden = readFileSync(new URL(`../golden/keepalived/${name}.conf`, import.meta.url), 'utf8');
  expect(keepalivedConf(keepalived.params.parse(params), version)).toBe(golden);
});

test('takes an inventory as it is', () => {
  const params = { router_id: 'dr1', priority: 100, vrrp: s0Fleet.vrrp, services: s0Fleet.services };
  expect(keepalived.params.parse(params)).toEqual(params);
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
  const params = { ...s0, vrrp: { ...s0.vrrp, authPass: secretSlot('vrrp') } };
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

test.each([
  ['priority', { priority: 90 }, undefined],
  ['a real server', { services: [{ ...service, realServers: service.realServers.slice(0, 1) }] }, undefined],
  ['a second VIP, which adverts do not name', { services: [service, http] }, undefined],
  ['the VIP that adverts name', { services: [http] }, 'split'],
  ['virtual_router_id', { vrrp: { ...s0.vrrp, id: 52 } }, 'split'],
  ['the advert interval', { vrrp: { ...s0.vrrp, advert: 2 } }, 'split'],
])('changing %s under a running keepalived has the right risk', (_, difference, risk) => {
  const golden = JSON.parse(readFileSync(new URL('../golden/tasks/keepalived/as-wanted.json', import.meta.url), 'utf8'));
  const seen = keepalived.parse({ stdout: `${golden.output.stdout.join('\n')}\n`, stderr: '', exit: 0 }, s0);
  const changes = keepalived.plan(seen, { ...s0, ...difference }, planContext({ host: 'dr1' }));
  expect(changes.map((change) => [change.id, change.risk, change.notify])).toEqual([
    ['content:/etc/keepalived/keepalived.conf', risk, ['keepalived.reload']],
  ]);
});

const bad: readonly (readonly [string, object, string])[] = [
  ['priority 255', { priority: 255 }, '<=254'],
  ['VRID 256', { vrrp: { ...s0.vrrp, id: 256 } }, '<=255'],
  ['a fraction of a second between adverts', { vrrp: { ...s0.vrrp, advert: 0.5 } }, 'int'],
  ['a password that VRRP would cut', { vrrp: { ...s0.vrrp, authPass: '123456789' } }, '1 to 8 printable characters'],
  ['a quote in the password', { vrrp: { ...s0.vrrp, authPass: 'a"b' } }, 'without blanks, quotes'],
  ['a name that would be syntax', { router_id: 'dr1 }' }, 'letters, digits'],
  ['persistence 0', { services: [{ ...service, persistence: 0 }] }, '>=1'],
  ['DR to another port', { services: [{ ...service, port: 81 }] }, 'every real server listens on the port of the VIP'],
  [
    'no weight at all',
    { services: [{ ...service, realServers: service.realServers.map((server) => ({ ...server, weight: 0 })) }] },
    'weight 0',
  ],
  [
    'a sorry server on another port',
    { services: [{ ...service, sorryServer: { address: '127.0.0.1', port: 81 } }] },
    'the sorry server listens',
  ],
  ['a real server twice', { services: [{ ...service, realServers: [service.realServers[0], service.realServers[0]] }] }, 'listed twice'],
  ['a service twice', { services: [service, service] }, 'listed twice'],
  ['a substitution in a path', { services: [{ ...http, check: { ...http.check, path: '/$x' } }] }, 'characters of a URL'],
  ['an unknown key', { services: [{ ...service, nb_get_retry: 3 }] }, 'nb_get_retry'],
];

test.each(bad)('%s is refused', (_, difference, message) => {
  const result = keepalived.params.safeParse({ ...s0, ...difference });
  expect(result.success).toBe(false);
  expect(JSON.stringify(result.error?.issues)).toContain(message);
});

test('no value that it accepts becomes syntax', () => {
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_.:#!$@~"{} -]{1,8}$/), fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/));
  const withValue = (field: string, text: string): Params => ({
    ...s0,
    ...(field === 'router_id' && { router_id: text }),
    vrrp: {
      ...s0.vrrp,
      ...(field === 'instance' && { instance: text }),
      ...(field === 'nic' && { interface: text, vipInterface: text }),
      ...(field === 'password' && { authPass: text }),
    },
    services: [
      { ...http, check: { ...http.check, ...(field === 'path' && { path: `/${text}` }), ...(field === 'host' && { hostHeader: text }) } },
    ],
  });
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
    fc.property(fc.constantFrom('router_id', 'instance', 'nic', 'password', 'path', 'host'), value, (field, text) => {
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
