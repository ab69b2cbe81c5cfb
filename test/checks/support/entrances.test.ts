import { describe, expect, test } from 'vitest';
import { entranceName, entrancesOf, needsSources } from '../../../src/checks/support/entrances.ts';
import type { VirtualServer } from '../../../src/model.ts';
import { fleetWith, natFleet, plainFleet, proxyFleet } from './fleet.ts';

const one = (change: Partial<VirtualServer>) => entrancesOf(plainFleet(change));

test('each port of a mark is asked', () => {
  const fwmark = {
    mark: 7,
    ports: [
      { port: 80, protocol: 'tcp' },
      { port: 53, protocol: 'udp' },
    ],
  } as const;
  expect(one({ fwmark }).map(entranceName)).toEqual(['10.18.43.30:80', 'UDP 10.18.43.30:53']);
});

test('TLS is what the real server speaks on its own port', () => {
  const nginx = { buildOn: 'first', user: 'nginx', group: 'nginx', sites: [], nofile: 1024 } as const;
  const listeners = [{ port: 8080, protocol: 'tcp', tls: true }] as const;
  expect(entrancesOf({ ...natFleet, nginx: { ...nginx, listeners } }).map(({ tls }) => tls)).toEqual([true]);
  expect(one({ port: 443, realServers: [{ host: 'web1', rip: '10.18.43.13', port: 443, weight: 1 }] })[0]?.tls).toBe(true);
  expect(one({})[0]?.tls).toBe(false);
});

describe('one address shows the spread', () => {
  test.each([
    ['rr', []],
    ['sh', ['sh-port']],
    ['mh', ['mh-port', 'mh-fallback']],
  ] as const)('of %s %j', (scheduler, schedulerFlags) => {
    expect(one({ scheduler, schedulerFlags }).map(needsSources)).toEqual([false]);
  });

  test.each([
    ['sh', []],
    ['mh', ['mh-fallback']],
  ] as const)('not of %s %j', (scheduler, schedulerFlags) => {
    expect(one({ scheduler, schedulerFlags }).map(needsSources)).toEqual([true]);
  });

  test('not where clients stay with their backend', () => {
    expect(entrancesOf(fleetWith({})).map(needsSources)).toEqual([true]);
  });
});

test('a site is asked by its name, and once as each browser that is sent elsewhere', () => {
  expect(entrancesOf(proxyFleet).map(entranceName)).toEqual([
    '10.18.43.30:80 (www.example.org)',
    '10.18.43.30:80 (www.example.org, as iphone)',
  ]);
});

test('servers for need alone are due nothing', () => {
  const upstreams = (proxyFleet.proxy?.upstreams ?? []).map((each) => ({
    ...each,
    servers: each.servers.map((server) => ({ ...server, backup: server.host === 'web2' })),
  }));
  const [site] = entrancesOf({ ...proxyFleet, proxy: { sites: proxyFleet.proxy?.sites ?? [], upstreams } });
  expect(site?.servers).toEqual([
    { host: 'web1', weight: 1 },
    { host: 'web2', weight: 0 },
  ]);
});
