import { expect, test } from 'vitest';
import vipPlacement from '../../src/checks/vip_placement.ts';
import { contextOf, look } from './support/fleet.ts';

const own = 'address 2: eth0    inet 10.18.43.10/24 scope global eth0\n';
const vip = (rest: string): string => `address 3: ${rest}\n`;
const has = (rest: string) => look('dr2', `${own}${vip(rest)}link eth1 up\n\nend\n`);
const hasNot = look('dr1', `${own}link eth1 up\n\nend\n`);

const judge = (...looks: readonly ReturnType<typeof look>[]) => vipPlacement.expect(looks, {}, contextOf());

test('on one director, as it should be', () => {
  expect(judge(hasNot, has('eth1    inet 10.18.43.30/32 scope global eth1'))).toMatchObject([{ status: 'pass', host: 'dr2' }]);
});

test('on one director, while the other could not be asked: no split brain is proven, nor its absence', () => {
  const findings = judge(has('eth1    inet 10.18.43.30/32 scope global eth1'));
  expect(findings).toMatchObject([{ status: 'not-run', host: 'dr2', found: '10.18.43.30 is on dr2; dr1 could not be asked' }]);
});

test('the other director answered nonsense: likewise', () => {
  const findings = judge(look('dr1', 'link up\n\nend\n'), has('eth1    inet 10.18.43.30/32 scope global eth1'));
  expect(findings.map(({ status, host }) => `${status} ${host}`)).toEqual(['not-run dr1', 'not-run dr2']);
});

test('on another interface', () => {
  expect(judge(hasNot, has('eth0    inet 10.18.43.30/32 scope global secondary eth0'))).toMatchObject([
    { status: 'fail', found: '10.18.43.30/32 on eth0 of dr2' },
  ]);
});

test('on lo it is not held: a director may be a real server too', () => {
  expect(judge(hasNot, has('lo    inet 10.18.43.30/32 scope global lo')).map(({ status }) => status)).toEqual(['fail', 'fail']);
});

test('an interface that is not there is named', () => {
  const findings = judge(look('dr1', `${own}link eth1 absent\n\nend\n`), look('dr2', `${own}link eth1 lowerlayerdown\n\nend\n`));
  expect(findings.map(({ found }) => found)).toEqual([
    'no director has 10.18.43.30; there is no interface eth1 here',
    'no director has 10.18.43.30; eth1 is lowerlayerdown',
  ]);
});

test('a VIP on a card that is down is not where packets come', () => {
  const down = look('dr2', `${own}${vip('eth1    inet 10.18.43.30/32 scope global eth1')}link eth1 down 0x1003\n\nend\n`);
  expect(judge(hasNot, down)).toMatchObject([{ status: 'fail', found: '10.18.43.30/32 on eth1 of dr2, but eth1 has no carrier' }]);
});
