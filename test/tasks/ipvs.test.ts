import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import ipvs from '../../src/tasks/ipvs.ts';
import { planContext } from '../support/plan-context.ts';

const want = ipvs.params.parse(ipvs.example);

interface Server {
  readonly rip: string;
  readonly alive?: boolean;
  readonly inhibit?: boolean;
  readonly weight?: number;
  readonly effective?: number;
}

interface Host {
  readonly process?: 'running' | 'none';
  readonly believed?: readonly Server[];
  readonly scheduler?: string;
  /** Lines of the kernel's table below its head. */
  readonly table?: readonly string[];
  readonly silent?: boolean;
  /** keepalived has a sorry server, and says whether enough others are healthy. */
  readonly quorum?: 'up' | 'lost';
}

const vip = 'TCP  0A122B1E:0050 rr  persistent 5000 FFFFFFFF';
const row = (last: string, forward = 'Route', weight = 1) => `  -> 0A122B${last}:0050 ${forward} ${weight}`;
const web1: Server = { rip: '10.18.43.13' };
const web2: Server = { rip: '10.18.43.14' };

/** As keepalived 2.2.7 writes it, without what is not read. */
function dump({ believed = [web1, web2], scheduler = 'rr', quorum }: Host): readonly string[] {
  const server = ({ rip, alive = true, inhibit = false, weight = 1, effective = weight }: Server) => [
    '   ------< Real server >------',
    `   RIP = ${rip}, RPORT = 80, WEIGHT = ${weight} EFF WEIGHT = ${effective}`,
    '   forwarding method = DR',
    `   Inhibit on failure is ${inhibit ? 'ON' : 'OFF'}`,
    `   initial weight = ${weight}`,
    `   effective weight = ${effective}`,
    `   alive = ${alive ? 1 : 0}`,
  ];
  const head = [' ------< Virtual server >------', ' VS VIP = 10.18.43.30, VPORT = 80', `   lvs_sched = ${scheduler}`];
  return [
    ...head,
    '   persistence timeout = 50',
    '   protocol = TCP',
    '   alive = 1',
    ...(quorum ? ['   sorry server = [10.18.43.99]:tcp:80', '     forwarding method = DR'] : []),
    `   quorum_state_up = ${quorum === 'lost' ? 0 : 1}`,
    ...believed.flatMap(server),
    '------< Health checkers >------',
  ];
}

function seen(host: Host) {
  const { process = 'running', table = [vip, row('0D'), row('0E')], silent = false } = host;
  const head = ['IP Virtual Server version 1.2.1 (size=4096)', 'Prot LocalAddress:Port Scheduler Flags'];
  const answer = [...[...head, ...table].map((line) => `table ${line}`), ...dump(host).map((line) => `says ${line}`)];
  const stdout = [`process ${process}`, 'hz 100', ...(silent ? [] : answer)].join('\n');
  return ipvs.parse({ stdout, stderr: '', exit: 0 }, want);
}

const changes = (host: Host, params = want) => ipvs.plan(seen(host), params, planContext({ host: 'dr1' }));
const ids = (host: Host, params = want) => changes(host, params).map(({ id }) => id);
const run = (host: Host) => changes(host).map((change) => renderSh(change.run, String));
const place = '10.18.43.30:80';

describe('a real server', () => {
  test('that is alive and not in the table is added, with its method and weight', () => {
    const host = { table: [vip, row('0E')] };
    expect(ids(host)).toEqual([`add:${place}>10.18.43.13:80`]);
    expect(run(host)[0]).toContain('ipvsadm -a -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 1');
    expect(run(host)[0]).toContain('ipvsadm -e -t 10.18.43.30:80 -r 10.18.43.13:80 -g -w 1');
  });

  test('that is not alive and not in the table is right: its health check fails', () => {
    const host = { table: [vip, row('0E')], believed: [{ ...web1, alive: false }, web2] };
    expect(ids(host)).toEqual([]);
    expect(ipvs.settled(want, seen(host))).toBe("the kernel's table is what keepalived believes; out by health check: 10.18.43.13:80");
  });

  test('that is not alive and in the table is taken out, unless keepalived has found it alive meanwhile', () => {
    const host = { believed: [{ ...web1, alive: false }, web2] };
    expect(ids(host)).toEqual([`remove:${place}>10.18.43.13:80`]);
    expect(renderSh(changes(host)[0]?.unless ?? { parts: [] }, String)).toContain('kill -s USR1');
  });

  test('that is not alive stays with weight 0 where failures inhibit', () => {
    const believed = [{ ...web1, alive: false, inhibit: true }, web2];
    expect(ids({ believed, table: [vip, row('0D', 'Route', 0), row('0E')] })).toEqual([]);
    expect(ids({ believed })).toEqual([`edit:${place}>10.18.43.13:80`]);
  });

  test.each([
    ['weight', row('0D', 'Route', 7)],
    ['forwarding method', row('0D', 'Tunnel')],
  ])('of another %s is edited', (_, changed) => {
    expect(ids({ table: [vip, changed, row('0E')] })).toEqual([`edit:${place}>10.18.43.13:80`]);
  });

  test('that is drained keeps the weight that keepalived gives it', () => {
    const believed = [{ ...web1, effective: 0 }, web2];
    expect(ids({ believed, table: [vip, row('0D', 'Route', 0), row('0E')] })).toEqual([]);
  });

  test('that is the director itself shows as local, and is right', () => {
    expect(ids({ table: [vip, row('0D', 'Local'), row('0E')] })).toEqual([]);
  });

  test('that nobody knows is taken out of our virtual server; the sorry server is known', () => {
    const table = [vip, row('0D'), row('0E'), row('63')];
    expect(ids({ table })).toEqual([`remove:${place}>10.18.43.99:80`]);
    const services = want.services.map((service) => ({ ...service, sorryServer: { address: '10.18.43.99', port: 80 } }));
    expect(ids({ table }, { services })).toEqual([]);
  });
});

describe('the sorry server', () => {
  const services = want.services.map((service) => ({ ...service, sorryServer: { address: '10.18.43.99', port: 80 } }));
  const dead = { ...web1, alive: false };
  const sorry = row('63');

  test('is added, and whoever is still alive is taken out, where too few are healthy', () => {
    expect(ids({ quorum: 'lost', believed: [dead, web2], table: [vip, sorry] }, { services })).toEqual([]);
    expect(ids({ quorum: 'lost', believed: [dead, web2], table: [vip, row('0E')] }, { services })).toEqual([
      `add:${place}>10.18.43.99:80`,
      `remove:${place}>10.18.43.14:80`,
    ]);
  });

  test('is taken out where enough others are healthy', () => {
    expect(ids({ quorum: 'up', table: [vip, row('0D'), row('0E')] }, { services })).toEqual([]);
    expect(ids({ quorum: 'up', table: [vip, row('0D'), row('0E'), sorry] }, { services })).toEqual([`remove:${place}>10.18.43.99:80`]);
  });

  test('that keepalived is yet to read of is left alone', () => {
    const services = want.services.map((service) => ({ ...service, sorryServer: { address: '10.18.43.98', port: 80 } }));
    expect(ids({ quorum: 'up', table: [vip, row('0D'), row('0E'), sorry] }, { services })).toEqual([]);
  });
});

describe('a virtual server', () => {
  test('that is gone is added with its real servers', () => {
    expect(ids({ table: [] })).toEqual([`service:${place}`, `add:${place}>10.18.43.13:80`, `add:${place}>10.18.43.14:80`]);
    expect(run({ table: [] })[0]).toContain('ipvsadm -A -t 10.18.43.30:80 -s rr -p 50');
  });

  test.each([
    ['scheduler', vip.replace('rr', 'wlc')],
    ['persistence', vip.replace('5000', '30000')],
    ['no persistence', 'TCP  0A122B1E:0050 rr'],
  ])('of another %s is edited, its real servers are left alone', (_, changed) => {
    expect(ids({ table: [changed, row('0D'), row('0E')] })).toEqual([`service:${place}`]);
  });

  test('of somebody else is left alone, and said', () => {
    const table = [vip, row('0D'), row('0E'), 'TCP  0A122B28:01BB rr', row('63')];
    expect(ids({ table })).toEqual([]);
    expect(ipvs.settled(want, seen({ table }))).toContain('left alone, as nothing here put it there: TCP 10.18.43.40:443');
  });
});

describe('nothing is planned', () => {
  test.each<[string, Host, RegExp]>([
    ['where keepalived does not run', { process: 'none', silent: true }, /does not run; it fills the table when it starts/],
    ['where keepalived does not answer', { silent: true }, /was not compared/],
    ['where keepalived is yet to read of the service', { believed: [], scheduler: 'none', table: [] }, /^the kernel's|^keepalived/],
    ['for a weight that keepalived is yet to read', { believed: [{ ...web1, weight: 5 }, web2] }, /./],
    ['for a real server that keepalived is yet to read of', { believed: [web2], table: [vip, row('0E')] }, /./],
    [
      'for a real server that its reload will take away',
      { believed: [web1, web2, { rip: '10.18.43.99' }], table: [vip, row('0D'), row('0E'), row('63')] },
      /./,
    ],
  ])('%s', (_, host, sentence) => {
    expect(ids(host)).toEqual([]);
    expect(ipvs.settled(want, seen(host))).toMatch(sentence);
  });

  test('from a dump that was cut short in a real server', () => {
    const whole = dump({});
    for (let length = 0; length <= whole.length; length++) {
      const said = whole.slice(0, length).map((line) => `says ${line}`);
      const table = ['IP Virtual Server version 1.2.1 (size=4096)', vip, row('0D'), row('0E')].map((line) => `table ${line}`);
      const found = ipvs.parse({ stdout: ['process running', 'hz 100', ...table, ...said].join('\n'), stderr: '', exit: 0 }, want);
      const made = ipvs.plan(found, want, planContext({ host: 'dr1' }));
      expect(made.map(({ id }) => id)).toEqual([]);
    }
  });
});
