/** From what directors say to what people read: who has the VIP, what each real server is given. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';
import { statusProbe } from '../../src/status/director-state.ts';
import { statusOf } from '../../src/status/status.ts';
import type { Look } from '../../src/task.ts';
import { bytes, statusLines } from '../../src/view/status.ts';
import { shellcheck, shells, syntaxErrors } from '../support/lint-shell.ts';

const { fleet } = loadInventory('inventory/dr.yaml');
const head = ['IP Virtual Server version 1.2.1 (size=4096)', 'Prot LocalAddress:Port Scheduler Flags', '  -> RemoteAddress:Port'];

interface Said {
  readonly vip?: boolean;
  readonly rows?: readonly string[];
  readonly rates?: readonly string[];
}

/** As the probe answers on a director of the example. */
function look(name: string, { vip = false, rows = [], rates = [] }: Said = {}): Look {
  const host = fleet.hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  const lines = [
    'address 2: eth0    inet 10.18.43.10/24 brd 10.18.43.255 scope global eth0\\       valid_lft forever preferred_lft forever',
    // On lo it is for packets alone.
    'address 1: lo    inet 10.18.43.30/32 scope host lo\\       valid_lft forever preferred_lft forever',
    ...(vip ? ['address 3: eth1    inet 10.18.43.30/32 scope global eth1\\       valid_lft forever preferred_lft forever'] : []),
    ...[...head, 'TCP  0A122B1E:0050 rr persistent 12500 FFFFFFFF', ...rows].map((line) => `table ${line}`),
    ...(rates.length > 0 ? ['TCP  10.18.43.30:80                   7        9        0      900        0', ...rates] : []).map(
      (line) => `rate ${line}`,
    ),
    '',
    'end',
    '',
  ];
  return { host, output: { stdout: lines.join('\n'), stderr: '', exit: 0 } };
}

const row = (address: string, weight: number, active = 0, inactive = 0): string =>
  `  -> ${address}:0050      Route   ${weight}      ${active}          ${inactive}`;
const both = [row('0A122B0D', 1, 12, 3), row('0A122B0E', 1)];
const text = (looks: readonly Look[], unreached: Readonly<Record<string, string>> = {}): readonly string[] =>
  statusLines(statusOf(fleet, looks, unreached)).map(stripVTControlCharacters);

test('who has the VIP, and what the kernel gives each real server there', () => {
  const rates = ['  -> 10.18.43.13:80                     7        9        0     12400        0'];
  expect(text([look('dr1', { vip: true, rows: both, rates }), look('dr2', { rows: both })])).toEqual([
    'dr1  has 10.18.43.30',
    'dr2  backup',
    '',
    '10.18.43.30:80  rr on dr1',
    '                        weight  active  inactive  conn/s  pkt/s   in/s  out/s',
    '  web1  10.18.43.13:80       1      12         3       7      9  12.4k      0',
    '  web2  10.18.43.14:80       1       0         0       -      -      -      -',
  ]);
});

test('real servers that are out, drained or unknown, and the sorry server, say so', () => {
  const { services } = fleet;
  const sorry = { ...fleet, services: services.map((each) => ({ ...each, sorryServer: { address: '127.0.0.1', port: 80 } })) };
  const rows = [row('0A122B0D', 0, 2), row('7F000001', 1), row('0A122B63', 1)];
  const found = statusOf(sorry as typeof fleet, [look('dr1', { vip: true, rows })], { dr2: 'it is off' });
  expect(found.services[0]?.realServers.map(({ host, server, state }) => [host, server, state])).toEqual([
    ['web1', '10.18.43.13:80', 'in'],
    ['web2', '10.18.43.14:80', 'out'],
    [undefined, '127.0.0.1:80', 'sorry'],
    [undefined, '10.18.43.99:80', 'unknown'],
  ]);
  const said = statusLines(found).map(stripVTControlCharacters).join('\n');
  for (const words of ['weight 0: gets nothing new', 'out: its health check fails', 'the sorry server serves', 'not in the inventory'])
    expect(said).toContain(words);
  expect(said).toContain('dr2  not reached: it is off');
});

describe('what is not there is said', () => {
  test('a VIP that nobody has', () => {
    expect(text([look('dr1'), look('dr2')]).at(-1)).toBe('10.18.43.30:80  no director that was reached has this VIP');
  });

  test('a VIP that two have: both tables are shown', () => {
    const found = statusOf(fleet, [look('dr1', { vip: true, rows: both }), look('dr2', { vip: true })], {});
    expect(found.services.map(({ director, realServers }) => [director, realServers.map(({ state }) => state)])).toEqual([
      ['dr1', ['in', 'in']],
      ['dr2', ['out', 'out']],
    ]);
  });

  test('an answer that was cut short is none', () => {
    const cut = { ...look('dr1'), output: { stdout: 'address 2: eth0', stderr: '', exit: 0 } };
    expect(text([cut])[0]).toBe('dr1  not reached: it did not say all that it was asked');
  });

  test('escape sequences of a host stay text', () => {
    expect(text([], { dr1: 'no\u001b[2J' })[0]).toBe('dr1  not reached: no\\x1b[2J');
  });
});

test.each([
  [0, '0'],
  [999, '999'],
  [12_400, '12.4k'],
  [3_100_000, '3.1M'],
  [2_000_000_000, '2.0G'],
])('%d bytes are %s', (count, said) => expect(bytes(count)).toBe(said));

test.each(shells)('the probe is good %s', (shell) => {
  expect(syntaxErrors(shell, [{ name: 'status', sh: statusProbe }])).toEqual([]);
});

test('ShellCheck has no warning about it', () => {
  expect(shellcheck([{ name: 'status', sh: statusProbe }])).toEqual([]);
});
