import { describe, expect, test } from 'vitest';
import backendService from '../../src/checks/backend_service.ts';
import type { Fleet } from '../../src/model.ts';
import { contextOf, fleet, fleetWith, ipv6Fleet, look, plainFleet, proxyFleet } from './support/fleet.ts';

function judge(lines: readonly string[], among: Fleet = fleet) {
  return backendService.expect([look('web1', `${lines.join('\n')}\n\nend\n`, among)], {}, contextOf(among))[0];
}

test.each([
  ['every address', 'ss LISTEN 0      511          0.0.0.0:80        0.0.0.0:*'],
  ['the VIP alone', 'ss LISTEN 0      511      10.18.43.30:80        0.0.0.0:*    users:(("nginx",pid=9,fd=6))'],
  ['both families', 'ss LISTEN 0      511                *:80              *:*'],
  ['both families, old ss', 'ss LISTEN     0      128         :::80                      :::*'],
  ['one interface', 'ss LISTEN 0      511      10.18.43.30%lo:80        0.0.0.0:*'],
  ['every address, from /proc/net/tcp', 'proc 00000000:0050'],
  ['the VIP, from /proc/net/tcp', 'proc 1E2B120A:0050'],
  ['both families, from /proc/net/tcp6', 'proc 00000000000000000000000000000000:0050'],
])('listening on %s is right', (_, line) => {
  expect(judge([line])?.status).toBe('pass');
});

test.each([
  ['another port', 'ss LISTEN 0      511          0.0.0.0:8080        0.0.0.0:*', 'nothing listens on port 80 of web1'],
  ['127.0.0.1', 'proc 0100007F:0050', 'web1 listens on 127.0.0.1:80'],
  ['the RIP alone', 'ss LISTEN 0      511      10.18.43.13:80        0.0.0.0:*', 'web1 listens on 10.18.43.13:80'],
])('listening on %s is wrong', (_, line, found) => {
  expect(judge([line])).toMatchObject({ status: 'fail', host: 'web1', found });
});

test('NAT sends packets to the RIP', () => {
  const line = 'ss LISTEN 0      511      10.18.43.13:80        0.0.0.0:*';
  expect(judge([line], fleetWith({ forward: 'nat' }))?.status).toBe('pass');
});

test('a host that tells nothing of listeners was not looked at', () => {
  expect(judge(['ss State Recv-Q Send-Q Local Address:Port Peer Address:Port'])?.status).toBe('not-run');
});

describe('IPv6', () => {
  test.each([
    ['both families', 'ss tcp   LISTEN 0      511                *:80              *:*', 'pass'],
    ['IPv6 alone', 'ss tcp   LISTEN 0      511             [::]:80           [::]:*', 'pass'],
    ['the VIP', 'ss tcp   LISTEN 0      511        [fd79::30]:80           [::]:*', 'pass'],
    ['the VIP, from /proc/net/tcp6', 'proc 000079FD000000000000000030000000:0050', 'pass'],
    ['IPv4 alone', 'ss tcp   LISTEN 0      511          0.0.0.0:80        0.0.0.0:*', 'fail'],
  ])('listening on %s', (_, line, status) => {
    expect(judge([line], ipv6Fleet())?.status).toBe(status);
  });

  test('IPv4 alone, as an old ss writes it, is not both families', () => {
    const old = 'ss tcp   LISTEN     0      128         :::22                      :::*';
    expect(judge([old, 'ss tcp   LISTEN     0      128           *:80                     *:*'], ipv6Fleet())?.status).toBe('fail');
  });

  test('a socket for IPv6 alone takes no IPv4', () => {
    expect(judge(['ss tcp   LISTEN 0      511             [::]:80           [::]:*'])?.status).toBe('fail');
  });
});

test('UDP and TCP of one port are two things', () => {
  const tcp = 'ss tcp   LISTEN 0      511          0.0.0.0:80        0.0.0.0:*';
  expect(judge([tcp], plainFleet({ protocol: 'udp' }))).toMatchObject({ status: 'fail', found: 'nothing listens on UDP port 80 of web1' });
  expect(judge([tcp, 'ss udp   UNCONN 0      0            0.0.0.0:80        0.0.0.0:*'], plainFleet({ protocol: 'udp' }))?.status).toBe(
    'pass',
  );
  expect(judge([tcp, 'udp 00000000:0050'], plainFleet({ protocol: 'udp' }))?.status).toBe('pass');
});

test('a real server that redirects listens on the other port, at its own address', () => {
  const line = 'ss tcp   LISTEN 0      511      10.18.43.13:4000        0.0.0.0:*';
  expect(judge([line], fleetWith({ redirect: 4000 }))?.status).toBe('pass');
});

test('a server behind nginx on the directors listens on its own address', () => {
  expect(judge(['ss tcp   LISTEN 0      511      10.18.43.13:8080        0.0.0.0:*'], proxyFleet)?.status).toBe('pass');
  expect(judge(['ss tcp   LISTEN 0      511      10.18.43.30:8080        0.0.0.0:*'], proxyFleet)?.status).toBe('fail');
});
