/** What every check in src/checks keeps to, whoever wrote it. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Fleet, Role } from '../../src/model.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import type { AnyCheck, Look } from '../../src/task.ts';
import { distinct, type Fragment } from '../support/fragments.ts';
import { hostileText, makeHostile } from '../support/hostile.ts';
import { isMutating, leaks } from '../support/leaks.ts';
import { misplacedValues, shellcheck, shells, syntaxErrors } from '../support/lint-shell.ts';
import { openShadowShell } from '../support/shadow-shell.ts';
import { contextOf, fleet, fleetWith, hostNamed, ipv6Fleet, natFleet, plainFleet, proxyFleet, staticFleet } from './support/fleet.ts';
import { goldenChecks, situationOf } from './support/golden.ts';

const { checks } = await loadRegistry();
const shadow = openShadowShell();
afterAll(() => shadow.close());

const nginx = {
  buildOn: 'first',
  user: 'nginx',
  group: 'nginx',
  listeners: [{ port: 80, protocol: 'tcp', tls: false }],
  sites: [],
  nofile: 1024,
} as const;

/** Every kind of cluster that makes a probe different. */
const fleets: readonly Fleet[] = [
  fleet,
  { ...fleet, sync: true },
  plainFleet({ scheduler: 'wrr' }, { nginx }),
  natFleet,
  plainFleet({ forward: 'tun', scheduler: 'sh' }),
  ipv6Fleet(),
  ipv6Fleet({ forward: 'tun', protocol: 'udp' }),
  fleetWith({
    fwmark: {
      mark: 7,
      ports: [
        { port: 80, protocol: 'tcp' },
        { port: 53, protocol: 'udp' },
      ],
    },
  }),
  plainFleet({ protocol: 'udp', scheduler: 'mh', schedulerFlags: ['mh-port'], onePacket: true }),
  plainFleet({ redirect: 4000 }, { apache: { listeners: [{ port: 4000, protocol: 'tcp', tls: true }] } }),
  proxyFleet,
  staticFleet,
];

const words = [
  'arp_sysctls',
  'backend_service',
  'ipvs_table',
  'keepalived_service',
  'loopback_vip',
  'nat_path',
  'proxy_service',
  'real_server_page',
  'traffic',
  'tunnel',
  'vip_arp',
  'vip_placement',
];

test('every check of the first milestone is there', () => {
  expect([...checks.keys()]).toEqual(expect.arrayContaining(words));
});

describe.each([...checks])('%s', (name, check) => {
  const probes = distinct(fleets.flatMap((each) => probesOf(name, check, check.example, each)));

  test('has an example that its schema takes and leaves as it is', () => {
    expect(check.params.parse(check.example)).toEqual(check.example);
  });

  test('works without parameters', () => {
    expect(check.params.safeParse({}).success).toBe(true);
  });

  test('describes every parameter, and takes no other', () => {
    const { properties = {} } = z.toJSONSchema(check.params, { io: 'input' }) as {
      readonly properties?: Record<string, { readonly description?: string }>;
    };
    expect(Object.entries(properties).filter(([, field]) => !field.description)).toEqual([]);
    expect(check.params.safeParse({ ...check.example, nobody_has_this: 1 }).success).toBe(false);
  });

  test('has golden cases: one that passes whole, one that fails', () => {
    const goldens = goldenChecks().filter((each) => each.check === name);
    const statuses = goldens.map(({ golden }) => golden.findings.map(({ status }) => status));
    expect(statuses.some((all) => all.every((status) => status === 'pass'))).toBe(true);
    expect(statuses.some((all) => all.includes('fail'))).toBe(true);
  });

  test.each(shells)('every probe is good %s', (shell) => {
    expect(syntaxErrors(shell, probes)).toEqual([]);
  });

  test('ShellCheck has no warning, and no word may split', () => {
    expect(shellcheck(probes)).toEqual([]);
  });

  test('values stand outside quotes, so that each is one word', () => {
    expect(misplacedValues(probes)).toEqual([]);
  });

  test('the probe changes nothing but what it puts back itself', () => {
    const calls = shadow.run(probes).calls.filter(({ call }) => isMutating(call));
    expect(calls.map(({ call }) => call.join(' ')).filter((call) => !passing.some((known) => known.test(call)))).toEqual([]);
  });

  test('hostile parameters stay values', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(hostileText, (hostile) => {
        const params = check.params.parse(makeHostile(check.params, fullParams(check), hostile, shadow.folder));
        expect(
          leaks(
            shadow,
            [plainFleet({}, { sync: true }), proxyFleet].flatMap((each) => probesOf(name, check, params, each)),
            hostile,
          ),
        ).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  test('says "not run" when nobody looked, and nothing where there is nothing to look at', () => {
    for (const each of [...fleets, { ...fleet, hosts: [], groups: {} }]) {
      const statuses = check.expect([], check.example, contextOf(each)).map(({ status }) => status);
      const asks = probesOf(name, check, check.example, each).length > 0;
      expect(asks ? [['not-run']] : [['not-run'], []]).toContainEqual(statuses);
    }
  });

  test('a look that failed is never a pass', () => {
    const failed = [
      { stdout: '', stderr: 'sh: ip: not found\n', exit: 127 },
      { stdout: '', stderr: '', exit: 0 },
      { stdout: 'end\n', stderr: '', exit: 0 },
      { stdout: '\nend\n', stderr: '', exit: 1 },
    ];
    for (const output of failed) {
      for (const each of fleets) {
        const looks = looksOf(check, each, () => output.stdout).map((look) => ({ ...look, output }));
        const findings = check.expect(looks, check.example, contextOf(each));
        expect(findings.filter(({ status }) => status === 'pass')).toEqual([]);
        expect(looks.length === 0 || findings.length > 0).toBe(true);
      }
    }
  });

  test('an answer that was cut short is never a pass', () => {
    for (const { golden } of goldenChecks().filter((each) => each.check === name)) {
      const { looks, context } = situationOf(golden);
      const cut = looks.map((look) => ({ ...look, output: { ...look.output, stdout: look.output.stdout.replace(/end\n$/, '') } }));
      expect(check.expect(cut, check.params.parse(golden.params ?? {}), context).filter(({ status }) => status === 'pass')).toEqual([]);
    }
  });

  test('survives whatever a host says, and every finding is whole', { timeout: 60_000 }, () => {
    const goldens = goldenChecks().filter((each) => each.check === name);
    const lines = [...new Set(goldens.flatMap(({ golden }) => Object.values(golden.looks).flat()))];
    const line = fc.oneof(fc.constantFrom(...lines, ''), fc.string({ unit: 'binary' }), fc.constantFrom(...lines, '').chain(mangled));
    fc.assert(
      fc.property(fc.constantFrom(...fleets), fc.array(line, { maxLength: 30 }), fc.nat(255), (each, said, exit) => {
        const looks = looksOf(check, each, () => `${said.join('\n')}\nend\n`).map((look) => ({
          ...look,
          output: { ...look.output, exit: exit % 3 },
        }));
        const findings = check.expect(looks, check.example, contextOf(each));
        expect(looks.length === 0 || findings.length > 0).toBe(true);
        for (const finding of findings) {
          expect(finding.found.trim()).not.toBe('');
          expect(finding.expected.trim()).not.toBe('');
          expect(finding.fix === '' || finding.status !== 'pass').toBe(true);
          expect(finding.fix !== '' || finding.status !== 'fail').toBe(true);
          expect(finding.found.length).toBeLessThan(600);
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Leased for seconds and given back, or learnt anew by the next packet. */
const passing = [/^ip -force -batch -$/, /^ip neigh (flush to|del) \S+/, /^kill /];

function probesOf(name: string, check: AnyCheck, params: unknown, among: Fleet): readonly Fragment[] {
  return among.hosts
    .filter(({ role }) => check.from.includes(role))
    .flatMap((host) => {
      const sh = check.probe(params, host, among);
      return sh ? [{ name: `${name} on ${host.name}`, sh }] : [];
    });
}

function looksOf(check: AnyCheck, among: Fleet, stdout: (role: Role) => string): readonly Look[] {
  return among.hosts
    .filter((host) => check.from.includes(host.role) && check.probe(check.example, host, among))
    .map((host) => ({ host: hostNamed(host.name, among), output: { stdout: stdout(host.role), stderr: '', exit: 0 } }));
}

/** The example with every optional text set too. */
function fullParams(check: AnyCheck): unknown {
  const full = { ...check.example, host_header: 'www.example.org', marker: 'text' };
  return check.params.safeParse(full).success ? full : check.example;
}

/** A line with one character put in the place of another. */
function mangled(line: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(Math.max(0, line.length - 1)), fc.string({ maxLength: 3 }))
    .map(([at, text]) => `${line.slice(0, at)}${text}${line.slice(at + 1)}`);
}
