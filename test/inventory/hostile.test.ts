import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { formatError, LvsError } from '../../src/errors.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import type { Fleet } from '../../src/model.ts';
import { hostileText, token } from '../support/hostile.ts';
import { anyText, base } from './base.ts';

// Hundreds of whole inventories, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** The fleet, or undefined when it was refused the way it ought to be: exit 4, and every complaint one printable line with its place. */
function judge(text: string): Fleet | undefined {
  try {
    return parseInventory(text, 'web.yaml').fleet;
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    const lines = text.split('\n').length;
    for (const complaint of [error, ...error.others]) {
      expect(complaint).toMatchObject({ exitCode: 4, where: { file: 'web.yaml' }, others: complaint === error ? error.others : [] });
      expect(complaint.code).toMatch(/^inventory\.[a-z-]+$/);
      expect(complaint.where?.line).toSatisfy((line: number) => line >= 1 && line <= lines);
      expect(complaint.where?.column).toBeGreaterThanOrEqual(1);
      expect(formatError(complaint)).toMatch(/^web\.yaml:\d+:\d+: [^\p{C}\p{Zl}\p{Zp}]+; [^\p{C}\p{Zl}\p{Zp}]+$/u);
    }
    return undefined;
  }
}

type Path = readonly (string | number)[];

/** Every place of a value, the value itself included. */
function pathsOf(value: unknown): readonly Path[] {
  const inner = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  const keys = inner.map(([key, each]) => [Array.isArray(value) ? Number(key) : key, each] as const);
  return [[], ...keys.flatMap(([key, each]) => pathsOf(each).map((path) => [key, ...path]))];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const inner = (value as Record<string | number, unknown>)[key];
  if (Array.isArray(value)) return value.map((each, index) => (index === key ? replaced(each, rest, by) : each));
  return { ...(value as object), [key]: replaced(inner, rest, by) };
}

/** Everything that an inventory can say, each value right. */
const full = {
  ...(parse(base) as Record<'directors' | 'backends' | 'clients', unknown>),
  network: '10.18.43.0/24',
  ssh: { user: 'admin', port: 2222, key: '~/.ssh/web', sudo: true, timeout: 5 },
  vrrp: { id: 51, interface: 'eth0', vip_interface: 'eth1', mode: 'master-backup', advert: 1, auth_pass: '1111', instance: 'VI_1' },
  services: [
    {
      vip: '10.18.43.30',
      port: 80,
      protocol: 'tcp',
      scheduler: 'wrr',
      forward: 'dr',
      persistence: 50,
      backends: { web1: { weight: 2, port: 80 }, web2: {} },
      check: { http: { timeout: 3, retry: 3, delay_before_retry: 3, path: '/', host: 'web', status: 200 }, delay_loop: 6 },
      sorry_server: '127.0.0.1:80',
    },
    { vip: '10.18.43.31', port: 80, scheduler: 'rr', backends: ['web1'], check: { tcp: { timeout: 1 } } },
  ],
  nginx: {
    source: { version: '1.26.3', sha256: 'a'.repeat(64), file: 'nginx.tar.gz', configure: ['--with-debug'], prefix: '/opt/nginx' },
    build: { on: 'web1' },
    user: 'www',
    group: 'www',
    port: 80,
    nofile: 4096,
  },
  groups: { blue: { hosts: ['web1:!web2'], vars: { colour: 'blue' }, ssh: { port: 22 } } },
  vars: { greeting: 'hello', deep: { list: ['one'] } },
  lab: { release: 'trixie', packages: ['firewalld'], selinux: 'permissive', memory: 512 },
};

const hosts = { directors: full.directors, backends: full.backends, clients: full.clients };
const sum = 'b'.repeat(64);

const example = (name: string): Readonly<Record<string, unknown>> => parse(readFileSync(`inventory/${name}.yaml`, 'utf8'));

/** What excludes each other: further inventories, each value right. */
const others: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  NAT: example('nat'),
  'static directors': example('static'),
  'several instances': {
    cluster: 'web',
    ...hosts,
    vrrp: {
      interface: 'eth0',
      instances: { A: { id: 51, vips: ['10.18.43.30'] }, B: { id: 52, vips: ['10.18.43.31', '10.18.43.32', '10.18.43.33'] } },
      sync_groups: { BOTH: ['A', 'B'] },
      scripts: { look: { file: 'scripts/look.sh', arguments: ['eth0'], interval: 2, timeout: 2, rise: 1, fall: 3 } },
      track_scripts: ['look'],
      track_processes: ['nginx'],
      notify: 'scripts/notify.sh',
      alarm: 'scripts/alarm.sh',
      mail: { to: ['ops@example.org'], from: 'lvs@example.org', server: '10.18.43.1:25', timeout: 30 },
    },
    services: [
      { vip: '10.18.43.30', port: 80, scheduler: 'rr', check: { misc: { script: 'package.json', arguments: ['{rip}'], timeout: 3 } } },
      { vip: '10.18.43.31', port: 53, protocol: 'udp', scheduler: 'rr', check: { dns: { type: 'A', name: 'example.org' } } },
      { vip: '10.18.43.32', port: 443, scheduler: 'rr', check: { https: { path: '/', host: 'web', status: 200, regex: 'right' } } },
      { vip: '10.18.43.33', fwmark: 7, ports: [80, { port: 443, protocol: 'tcp' }], scheduler: 'rr' },
    ],
    keepalived: {
      source: {
        version: '2.2.7',
        sha256: sum,
        url: 'https://example.org/k.tar.gz',
        configure: ['--enable-bfd', '--enable-regex'],
        prefix: '/opt/k',
      },
    },
    ipvsadm: { source: { version: '1.31', sha256: sum, file: 'ipvsadm.tar.gz', prefix: '/opt/i' } },
    secrets: { file: 'secrets.age', identity: '~/age.key' },
  },
  'layer 7': {
    cluster: 'web',
    ...hosts,
    vrrp: { id: 51, interface: 'eth0' },
    proxy: {
      sites: [
        {
          vip: '10.18.43.30',
          port: 80,
          server_name: 'web.example.org',
          backends: ['web1'],
          method: 'least_conn',
          by_user_agent: [{ match: 'iphone', backends: { web2: { weight: 2, max_fails: 3, fail_timeout: 10 } } }],
          client_max_body_size: '200m',
          access_log: '/var/log/nginx/web.log',
          buffer_size: '16k',
          buffers: { number: 8, size: '16k' },
        },
      ],
    },
  },
};
const paths = pathsOf(full);
const anyPath = fc.constantFrom(...paths);

describe('whatever stands in the file, the answer is a fleet or located complaints', () => {
  it('accepts the inventories that the others are made of', () => {
    expect(judge(JSON.stringify(full))?.services).toHaveLength(2);
    for (const other of Object.values(others)) expect(() => parseInventory(JSON.stringify(other), 'web.yaml')).not.toThrow();
  });

  it('random text', () => {
    fc.assert(fc.property(anyText, (text) => void judge(text)));
  });

  it('random YAML', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '&a ',
      '*a',
      '!secret x',
      '!!map ',
      '? ',
      '|\n',
      '>-\n',
      '"',
      "'",
      '#',
      '%YAML 1.1\n',
      '---\n',
      '...\n',
      '\t',
      '1e3',
      '.nan',
      '0x1f',
      '<<: ',
      'vrrp: ',
      'services: ',
      '__proto__: ',
      'constructor: ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void judge(pieces.join(''))),
      { numRuns: 200 },
    );
  });

  it('the right file with pieces cut out, moved and put in', () => {
    const edit = fc.record({
      at: fc.nat(base.length),
      cut: fc.nat(12),
      put: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom(...base.split(/\b/))),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        judge(edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), base));
      }),
      { numRuns: 200 },
    );
  });

  it('any JSON in any place', () => {
    fc.assert(
      fc.property(anyPath, fc.jsonValue({ maxDepth: 3 }), (path, value) => void judge(JSON.stringify(replaced(full, path, value)))),
      { numRuns: 200 },
    );
  });

  it.each([
    ['lists', '['],
    ['mappings', '{ a: '],
    ['block lists', '- '],
  ])('ten thousand %s inside each other', (_, open) => {
    expect(judge(open.repeat(10_000))).toBeUndefined();
  });

  it('aliases that grow without end', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `  l${index + 1}: &l${index + 1} [${`*l${index}, `.repeat(9)}]`);
    expect(judge(`vars:\n  l0: &l0 [x]\n${lines.join('\n')}\n`)).toBeUndefined();
  });
});

describe('a hostile value', () => {
  /** Places that hold any text and are only ever handed on as values. */
  const free = [
    ...[
      /^hosts\.\d+\.vars\./,
      /^vars\./,
      /^hosts\.\d+\.ssh\.key$/,
      /^(?:nginx\.s|keepalivedS|ipvsadmS)ource\.(?:file|configure\.\d+|url)$/,
    ],
    // Below the folder of the inventory, and under a name that keepalived.conf can hold; a pattern stands there in quotes.
    ...[/^vrrp\.(?:scripts\.\d+\.file|notify|alarm)$/, /^services\.\d+\.check\.regex$/],
  ];
  const everywhere = Object.entries({ full, ...others }).flatMap(([name, document]) =>
    pathsOf(document)
      .filter((path) => path.length > 0)
      .map((path) => [`${name}: ${path.join('.')}`, path, document] as const),
  );

  it.each(everywhere)('at %s is refused, or stays the value that it is', (_, path, document) => {
    fc.assert(
      fc.property(hostileText, fc.constantFrom('', '--', '~/'), (hostile, before) => {
        const typed = `${before}${hostile}`;
        const fleet = judge(JSON.stringify(replaced(document, path, typed)));
        for (const place of pathsOf(fleet ?? {})) {
          const value = place.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], fleet);
          if (typeof value !== 'string' || !value.includes(token)) continue;
          expect(place.join('.')).toSatisfy((name: string) => free.some((pattern) => pattern.test(name)));
          expect(value.endsWith(typed) || !value.startsWith('-')).toBe(true);
        }
      }),
      { numRuns: 5 },
    );
  });

  it('as the name of a host, a group or an interface is refused', () => {
    const places = ['directors', 'backends', 'clients', 'groups', 'directors.dr1.interfaces'];
    fc.assert(
      fc.property(fc.constantFrom(...places), hostileText, (place, hostile) => {
        expect(judge(JSON.stringify(replaced(full, [...place.split('.'), hostile], {})))).toBeUndefined();
      }),
    );
  });
});
