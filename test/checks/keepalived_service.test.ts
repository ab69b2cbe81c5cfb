import { expect, test } from 'vitest';
import keepalivedService from '../../src/checks/keepalived_service.ts';
import { contextOf, look } from './support/fleet.ts';

const unit = 'unit LoadState=loaded\nunit ActiveState=active\nunit UnitFileState=enabled\n';
const config = 'config /etc/keepalived/keepalived.conf\n';

const judge = (rest: string) => keepalivedService.expect([look('dr1', `${unit}${config}${rest}\nend\n`)], {}, contextOf()).slice(2);

test.each([
  ['missing', 'kind missing', '/etc/keepalived/keepalived.conf is missing'],
  ['empty', 'kind empty', '/etc/keepalived/keepalived.conf is empty'],
  ['a directory', 'kind other', '/etc/keepalived/keepalived.conf is not a file'],
  ['executable', 'kind executable', '/etc/keepalived/keepalived.conf is executable'],
])('a configuration that is %s is not valid, although keepalived -t says so', (_, kind, found) => {
  expect(judge(`${kind}\ntested 0\nstate none\n`)).toMatchObject([{ status: 'fail', found }]);
});

test('its complaint is quoted', () => {
  expect(judge("kind file\ntest (Line 3) Unknown keyword 'x'\ntest more\ntested 5\nstate none\n")).toMatchObject([
    { status: 'fail', found: "keepalived -t ends with 5: (Line 3) Unknown keyword 'x'" },
  ]);
});

test.each(['too-old', 'not-installed'])('a keepalived that is %s tests nothing', (why) => {
  expect(judge(`kind file\ntested ${why}\nstate none\n`)).toMatchObject([{ status: 'not-run' }]);
});

test.each([
  ['nothing is newer than the process', '', 'pass'],
  ['a file is newer', 'newer 1700000000 /etc/keepalived/keepalived.conf\n', 'fail'],
  [
    'a file is newer, but a reload is newer still',
    'newer 1700000000 /etc/keepalived/keepalived.conf\nreload 1699999999.5\nreload 1700000000.7\n',
    'pass',
  ],
  ['a reload came before the change', 'newer 1700000000 /etc/keepalived/conf.d/a.conf\nreload 1699999999.5\n', 'fail'],
  ['one of two files is newer than the reload', 'newer 1 /a\nnewer 9 /b\nreload 5\n', 'fail'],
  ['the times are no times', 'newer x /a\nreload y\n', 'fail'],
])('loaded: %s', (_, said, status) => {
  expect(judge(`kind file\ntested 0\n${said}state pending\n`)[1]?.status).toBe(status);
});

test('a process without a pid file cannot be compared with its configuration', () => {
  expect(judge('kind file\ntested 0\nstate unknown\n')[1]?.status).toBe('not-run');
});
