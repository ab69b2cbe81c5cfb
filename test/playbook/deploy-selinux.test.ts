/** What `deploy` asks of SELinux: only of hosts that have it, only what the cluster needs, and before the service starts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseInventory } from '../../src/inventory/load.ts';
import type { Facts } from '../../src/model.ts';
import { holds } from '../../src/plan/plan-step.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { planContext } from '../support/plan-context.ts';
import { registry } from './support.ts';

const enforcing: Partial<Facts> = { selinux: 'enforcing', packageManager: 'dnf', distribution: 'rocky', release: '9.4' };

/** Steps that a host with these facts gets, in order. */
function stepsOf(name: string, text: string, facts: Partial<Facts> = enforcing) {
  const inventory = `cluster: web
directors:
  dr1: { address: 10.18.43.10, priority: 150 }
  dr2: { address: 10.18.43.20, priority: 100 }
backends:
  web1: { address: 10.18.43.13 }
${text}
`;
  const { fleet } = parseInventory(inventory, 'web.yaml');
  const host = fleet.hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  const scope = { fleet, host, facts: planContext({ facts }).facts };
  return bindPlaybook(loadPlaybook('playbooks/deploy.yaml'), fleet, registry)
    .flatMap((play) => play.steps[name] ?? [])
    .filter((step) => holds(step, scope));
}

const asked = (name: string, text: string, facts?: Partial<Facts>) =>
  stepsOf(name, text, facts).flatMap(({ task, want }) => (['selinux_boolean', 'selinux_port'].includes(task) ? [want] : []));

const balanced = (service: string, more = '') => `vrrp: { id: 51, interface: eth0 }
services:
  - ${service}
${more}`;
const web = '{ vip: 10.18.43.30, port: 80, scheduler: rr }';
const odd = '{ vip: 10.18.43.30, port: 4000, scheduler: rr }';
const rlimit = { booleans: { httpd_setrlimit: true } };
const label = (...ports: readonly object[]) => ({ type: 'http_port_t', or: ['http_cache_port_t'], ports });

describe('a real server', () => {
  test('whose nginx listens where web servers do needs no label, and no semanage', () => {
    expect(asked('web1', balanced(web, 'nginx: {}'))).toEqual([rlimit]);
    const packages = stepsOf('web1', balanced(web, 'nginx: {}')).flatMap(({ task, want }) => (task === 'package' ? [want] : []));
    expect(JSON.stringify(packages)).not.toContain('policycoreutils');
  });

  test('whose nginx listens elsewhere has the port labelled, by what is installed first, and before nginx starts', () => {
    const steps = stepsOf('web1', balanced(odd, 'nginx: {}'));
    expect(asked('web1', balanced(odd, 'nginx: {}'))).toEqual([label({ port: 4000, protocol: 'tcp' }), rlimit]);
    const order = steps.map(({ task, want }) => `${task} ${JSON.stringify(want)}`);
    const at = (pattern: RegExp) => order.findIndex((each) => pattern.test(each));
    expect(at(/^package .*policycoreutils-python-utils/)).toBeLessThan(at(/^selinux_port/));
    expect(at(/^selinux_port/)).toBeLessThan(at(/^nginx_config/));
    expect(at(/^selinux_boolean/)).toBeLessThan(at(/^service .*"nginx"/));
  });

  test('that answers UDP has that port labelled too: policies have none for web servers', () => {
    const service = '{ vip: 10.18.43.30, port: 80, protocol: udp, scheduler: rr }';
    expect(asked('web1', balanced(service, 'nginx: {}'))).toEqual([label({ port: 80, protocol: 'udp' }), rlimit]);
  });

  test('with Apache needs labels alone', () => {
    expect(asked('web1', balanced(odd, 'apache: {}'))).toEqual([label({ port: 4000, protocol: 'tcp' })]);
    expect(asked('web1', balanced(web, 'apache: {}'))).toEqual([]);
  });

  test('with nginx from source is not held back', () => {
    const source = `nginx: { source: { version: 1.26.3, sha256: "${'a'.repeat(64)}" } }`;
    expect(asked('web1', balanced(odd, source))).toEqual([]);
  });
});

describe('a director', () => {
  const any = [{ booleans: { keepalived_connect_any: true } }];

  test.each([
    ['where web servers usually are', web, []],
    ['on another port', odd, any],
    ['on 8080, which is the label of caches', '{ vip: 10.18.43.30, port: 8080, scheduler: rr }', any],
    ['on a port of the check’s own', '{ vip: 10.18.43.30, port: 80, scheduler: rr, check: { http: { port: 8081 } } }', any],
    ['by ICMP', '{ vip: 10.18.43.30, port: 4000, scheduler: rr, check: { ping: {} } }', []],
  ])('that asks real servers %s', (_, service, expected) => {
    expect(asked('dr1', balanced(service, 'nginx: {}'))).toEqual(expected);
  });

  test.each([
    ['10.18.43.1:25', []],
    ['"[fd00::25]:587"', []],
    ['10.18.43.1:2525', any],
  ])('that sends mail to %s', (server, expected) => {
    const mail = `{ to: [a@example.org], from: b@example.org, server: ${server} }`;
    const text = balanced(web, 'nginx: {}').replace('interface: eth0', `interface: eth0, mail: ${mail}`);
    expect(asked('dr1', text)).toEqual(expected);
  });

  const proxy = (site: string) => `vrrp: { id: 51, interface: eth0 }\nproxy: { sites: [${site}] }\nnginx: {}\n`;

  test.each([
    ['relays to 80', '{ vip: 10.18.43.30, port: 80 }', [{ booleans: { httpd_can_network_relay: true } }]],
    ['connects to 4000', '{ vip: 10.18.43.30, port: 80, backend_port: 4000 }', [{ booleans: { httpd_can_network_connect: true } }]],
    [
      'listens on 8181',
      '{ vip: 10.18.43.30, port: 8181, backend_port: 80 }',
      [label({ port: 8181, protocol: 'tcp' }), { booleans: { httpd_can_network_relay: true } }],
    ],
  ])('whose nginx %s', (_, site, expected) => {
    expect(asked('dr1', proxy(site))).toEqual(expected);
  });

  test('whose repair page has a port of its own', () => {
    const service = '{ vip: 10.18.43.30, port: 8181, scheduler: rr, sorry_server: "127.0.0.1:8181" }';
    expect(asked('dr1', balanced(service, 'nginx: {}'))).toContainEqual(label({ port: 8181, protocol: 'tcp' }));
  });
});

test.each<[string, Partial<Facts>, string]>([
  ['without SELinux', { ...enforcing, selinux: 'disabled' }, ''],
  ['of Debian, whose policy is another one', { ...enforcing, packageManager: 'apt' }, ''],
  ['that is to be rid of SELinux', enforcing, 'selinux: disabled'],
])('a host %s is asked for nothing', (_, facts, more) => {
  for (const host of ['dr1', 'web1']) expect(asked(host, balanced(odd, `nginx: {}\n${more}`), facts)).toEqual([]);
});

test('what is permissive today may be enforcing tomorrow', () => {
  expect(asked('web1', balanced(web, 'nginx: {}'), { ...enforcing, selinux: 'permissive' })).toEqual([rlimit]);
});

test('teardown takes labels back while semanage is still there', () => {
  const plays = parse(readFileSync('playbooks/teardown.yaml', 'utf8')) as readonly { tasks: readonly { restore: { what: string[] } }[] }[];
  const lists = plays.flatMap(({ tasks }) => tasks.map(({ restore }) => restore.what)).filter((what) => what.includes('packages:*'));
  expect(lists).toHaveLength(2);
  for (const what of lists) expect(what.indexOf('selinux:port *')).toBeLessThan(what.indexOf('packages:*'));
  for (const what of lists) expect(what).toContain('selinux:port *');
});
