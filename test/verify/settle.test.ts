import { expect, test } from 'vitest';
import { settling } from '../../src/verify/settle.ts';
import { proxyFleet, staticFleet } from '../checks/support/fleet.ts';
import { s0Fleet } from '../support/plan-context.ts';

test('a real server that came back is tried once per delay_loop', () => {
  expect(settling(s0Fleet)).toBe(10_000);
});

test('an election is waited for where checks are quick', () => {
  const services = s0Fleet.services.map((service) => ({ ...service, check: { ...service.check, delayLoop: 0, timeout: 1 } }));
  expect(settling({ ...s0Fleet, services })).toBe(5000);
});

test('static directors wait for their own unit, or for nothing', () => {
  expect(settling(staticFleet)).toBe(1000);
  expect(settling({ ...staticFleet, static: { interface: 'eth1', checkInterval: 20 } })).toBe(24_000);
});

test('nginx on the directors leaves a server out for fail_timeout', () => {
  expect(settling(proxyFleet)).toBe(11_000);
});
