import { describe, expect, test } from 'vitest';
import { entranceName, entrancesOf, needsSources } from '../../../src/checks/support/entrances.ts';
import { targetsFor, targetUrl } from '../../../src/checks/support/targets.ts';
import type { VirtualServer } from '../../../src/model.ts';
import { fleetWith, hostNamed, natFleet, plainFleet, proxyFleet, withPages } from './fleet.ts';

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
  expect(entrancesOf({ ...natFleet, nginx: { ...nginx, listeners } }).map(({ page }) => page?.tls)).toEqual([true]);
  const secure = plainFleet({ port: 443, realServers: [{ host: 'web1', rip: '10.18.43.13', port: 443, weight: 1 }] });
  expect(entrancesOf(secure, '/')[0]?.page?.tls).toBe(true);
  expect(entrancesOf(withPages(plainFleet()))[0]?.page?.tls).toBe(false);
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

test('a site whose backends have a page for its name alone is asked for that page', () => {
  const listeners = [{ port: 8080, protocol: 'tcp', tls: false }] as const;
  const nginx = { buildOn: 'first', user: 'nginx', group: 'nginx', listeners, nofile: 1024 } as const;
  const sites = [{ serverName: 'www.example.org', path: '/monitor.html', body: 'OK' }];
  const fleet = { ...proxyFleet, nginx: { ...nginx, sites } };
  expect(entrancesOf(fleet)[0]).toMatchObject({
    page: { hostHeader: 'www.example.org', path: '/monitor.html', status: 200, named: false },
  });
  const [backend] = targetsFor(hostNamed('dr1'), {}, fleet);
  expect(backend).toMatchObject({ page: { hostHeader: 'www.example.org', path: '/monitor.html' }, marker: 'OK' });
  expect(targetsFor(hostNamed('dr1'), {}, withPages(proxyFleet, [8080]))[0]).toMatchObject({
    page: { path: '/' },
    marker: 'web1',
    match: 'word',
  });
});

describe('pages of backends', () => {
  test('are those that the health check asks for', () => {
    const check = {
      kind: 'http',
      timeout: 3,
      retry: 1,
      delayBeforeRetry: 1,
      delayLoop: 6,
      path: '/monitor.html',
      hostHeader: 'a.example.org',
      status: 204,
    } as const;
    const asked = targetsFor(hostNamed('dr1'), {}, plainFleet({ check }))[0];
    expect(asked).toMatchObject({ page: { path: '/monitor.html', hostHeader: 'a.example.org', status: 204 } });
    expect(asked?.marker).toBeUndefined();
    expect(targetsFor(hostNamed('dr1'), { path: '/', status: 200, marker: 'x' }, plainFleet({ check }))[0]).toMatchObject({
      page: { path: '/', status: 200 },
      marker: 'x',
    });
  });

  test('are asked for by directors everywhere, and by clients on their own segment alone', () => {
    expect(targetsFor(hostNamed('dr1'), {}, withPages(natFleet, [8080])).map(targetUrl)).toEqual([
      'http://192.168.9.13:8080/',
      'http://192.168.9.14:8080/',
    ]);
    expect(targetsFor(hostNamed('probe'), {}, natFleet)).toEqual([]);
  });

  test('behind nginx on the directors are closed to clients by a managed firewall', () => {
    const asked = (host: string, firewall: 'untouched' | 'managed') => targetsFor(hostNamed(host), {}, { ...proxyFleet, firewall }).length;
    expect([asked('probe', 'untouched'), asked('probe', 'managed')]).toEqual([2, 0]);
    expect(asked('dr1', 'managed')).toBe(2);
  });
});

describe('what the inventory does not know of a page', () => {
  const times = { timeout: 3, retry: 1, delayBeforeRetry: 1, delayLoop: 6 } as const;

  test('is not demanded: a port that is only connected to is no web server', () => {
    const database = plainFleet({ port: 3306, realServers: [{ host: 'web1', rip: '10.18.43.13', port: 3306, weight: 1 }] });
    expect(entrancesOf(database)[0]?.page).toBeUndefined();
    expect(targetsFor(hostNamed('dr1'), {}, database).map(({ port, page, marker }) => [port, page, marker])).toEqual([
      [3306, undefined, undefined],
    ]);
    expect(targetsFor(hostNamed('dr1'), { path: '/' }, database)).toMatchObject([{ page: { path: '/', status: 200 }, marker: 'web1' }]);
  });

  test('a health check at another port says nothing of the service', () => {
    const check = { ...times, kind: 'http', path: '/status', port: 9100 } as const;
    expect(one({ check })[0]?.page).toBeUndefined();
    expect(entrancesOf(withPages(plainFleet({ check })))[0]?.page).toMatchObject({ path: '/', status: 200, named: true });
  });

  test('a name is demanded on / of the web server that lvsctl sees to alone', () => {
    const check = { ...times, kind: 'http', path: '/' } as const;
    expect(targetsFor(hostNamed('dr1'), {}, plainFleet({ check })).map(({ marker }) => marker)).toEqual([undefined, undefined]);
    expect(targetsFor(hostNamed('dr1'), {}, withPages(plainFleet({ check })))[0]).toMatchObject({ marker: 'web1' });
    expect(one({ check })[0]?.page?.named).toBe(false);
  });

  test('the name of a TLS health check is asked for in the handshake', () => {
    const check = { ...times, kind: 'https', path: '/', hostHeader: 'www.example.org', sni: true } as const;
    const realServers = [{ host: 'web1', rip: '10.18.43.13', port: 443, weight: 1 }];
    const [target] = targetsFor(hostNamed('dr1'), {}, plainFleet({ port: 443, realServers, check }));
    expect(target && targetUrl(target)).toBe('https://www.example.org:443/');
    expect(target?.page?.sni).toBe('www.example.org');
  });

  test('backends behind nginx on the directors answer, whatever it is', () => {
    expect(entrancesOf(proxyFleet)[0]?.page).toMatchObject({ path: '/', status: undefined, named: false });
    expect(targetsFor(hostNamed('dr1'), {}, proxyFleet).map(({ page, marker }) => [page?.status, marker])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });
});
