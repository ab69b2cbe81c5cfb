import { describe, expect, test } from 'vitest';
import traffic from '../../src/checks/traffic.ts';
import type { Finding, Fleet, VirtualServer } from '../../src/model.ts';
import * as clusters from './support/fleet.ts';
import { contextOf, hostNamed, look, withPages } from './support/fleet.ts';

const fleet = withPages(clusters.fleet);
const plainFleet = (change: Partial<VirtualServer> = {}): Fleet => withPages(clusters.plainFleet(change));

const address = '10.18.43.50';

/** Answers from the client's own address; `0` is a page without a name, `12` one with both. */
const own = (marks: string, status = 200): string =>
  [...marks].map((mark) => `got 0 ${status} 1 0.002 ${mark === '0' ? '-' : mark} ${address}\n`).join('');

/** Three answers from each of the sources, told by its mark: 10.18.43.200, .201, … */
const from = (marks: string): string =>
  [...marks].map((mark, index) => `got 0 200 1 0.002 ${mark} 10.18.43.${200 + index}\n`.repeat(3)).join('');

const bound = (...last: readonly number[]): string =>
  `bindings\n${last.map((byte) => `bound 0A122B${byte.toString(16).toUpperCase()} 0A122B1E 0050\n`).join('')}\nend\n`;

function judge(among: Fleet, client: string, director?: string, params: object = {}): readonly Finding[] {
  const looks = [look('probe', `${client}\nend\n`, among), ...(director === undefined ? [] : [look('dr2', director, among)])];
  return traffic.expect(looks, traffic.params.parse(params), contextOf(among));
}

const statuses = (findings: readonly Finding[]) => findings.map(({ status }) => status);

describe('errors', () => {
  const seen = `using 0 1\n${own('12'.repeat(19))}${own('1', 502)}`;

  test('one request that failed and one that was never answered', () => {
    const [errors] = judge(plainFleet(), seen);
    expect(errors).toMatchObject({ status: 'fail', host: 'probe' });
    expect(errors?.found).toContain(
      '38 of 40 requests of probe to 10.18.43.30:80 answered with status 200: 1 without an answer and 1 with status 502',
    );
  });

  test('as many as may be', () => {
    expect(judge(plainFleet(), seen, undefined, { max_error_rate: 0.05 })[0]?.status).toBe('pass');
    expect(judge(plainFleet(), seen, undefined, { max_error_rate: 0.04 })[0]?.status).toBe('fail');
  });

  test('latency is told by its median and its worst', () => {
    const answers = ['0.001', '0.002', '0.900'].map((seconds) => `got 0 200 1 ${seconds} 1 ${address}\n`).join('');
    expect(judge(plainFleet(), `using 0 1\n${answers}`, undefined, { requests: 3 })[0]?.found).toContain('median 2 ms, slowest 900 ms');
  });

  test('a curl that cannot run says nothing of the cluster', () => {
    expect(statuses(judge(plainFleet(), 'using 0 1\nexit 0 127\n'))).toEqual(['not-run', 'not-run']);
  });
});

describe('spread', () => {
  test('a page of somebody else is noticed, and one that names two backends', () => {
    for (const mark of ['0', '1,2']) {
      const stray = `got 0 200 1 0.002 ${mark === '0' ? '-' : mark} ${address}\n`;
      expect(judge(plainFleet(), `using 0 1\n${own('12'.repeat(20))}${stray}`)[1]).toMatchObject({
        status: 'fail',
        found: '1 answer of 41 named no single backend of 10.18.43.30:80',
      });
    }
  });

  test('pages without names cannot be counted', () => {
    expect(judge(plainFleet(), `using 0 1\n${own('0'.repeat(40))}`)[1]).toMatchObject({
      status: 'not-run',
      found: 'no page names its backend',
    });
  });

  test('answers over a connection that was used before do not count', () => {
    const reused = own('12'.repeat(20)).replaceAll(' 200 1 ', ' 200 0 ');
    expect(judge(plainFleet(), `using 0 1\n${reused}`)[1]?.status).toBe('not-run');
  });

  test('clients are counted together: each alone may be in step with the scheduler', () => {
    const two: Fleet = { ...plainFleet(), hosts: [...fleet.hosts, { ...hostNamed('probe'), name: 'probe2' }] };
    const looks = [
      look('probe', `using 0 1\n${own('1'.repeat(40))}\nend\n`, two),
      look('probe2', `using 0 1\n${own('2'.repeat(40))}\nend\n`, two),
    ];
    const findings = traffic.expect(looks, traffic.params.parse({}), contextOf(two));
    expect(findings.map(({ status, host }) => `${status} ${host}`)).toEqual(['pass probe', 'pass probe2', 'pass clients']);
  });
});

describe('persistence', () => {
  const sixteen = `using 0 16\n${from('1'.repeat(16))}`;

  test('without sources the spread is not to be seen, but errors and faithfulness are', () => {
    const { sources: _, ...client } = hostNamed('probe');
    const without = { ...fleet, hosts: fleet.hosts.map((host) => (host.name === 'probe' ? client : host)) };
    expect(statuses(judge(without, `using 0 1\n${own('1'.repeat(40))}`))).toEqual(['pass', 'not-run', 'pass']);
  });

  test('an address that goes to two backends is not kept', () => {
    const torn = `using 0 16\n${from('12'.repeat(8))}`.replace('1 10.18.43.200', '2 10.18.43.200');
    expect(judge(fleet, torn)[2]).toMatchObject({ status: 'fail', found: '1 of 16 sources of probe were answered by several backends' });
  });

  test('one backend has all addresses, none of which was bound before', () => {
    expect(judge(fleet, sixteen, bound())[1]).toMatchObject({ status: 'fail', found: 'client addresses: 16 from web1 and 0 from web2' });
  });

  test('one backend has all addresses, which were bound before', () => {
    expect(judge(fleet, sixteen, bound(...Array.from({ length: 16 }, (_, index) => 200 + index)))[1]?.status).toBe('not-run');
  });

  test('addresses bound before do not hide what the others show', () => {
    expect(judge(fleet, sixteen, bound(200, 201, 202))[1]?.status).toBe('fail');
    expect(judge(fleet, sixteen, bound(200, 201, 202, 203, 204))[1]?.status).toBe('not-run');
  });

  test('where nobody knows what was bound, a bad spread is no evidence, and a good one is', () => {
    expect(judge(fleet, sixteen)[1]?.status).toBe('not-run');
    expect(judge(fleet, `using 0 16\n${from('12'.repeat(8))}`)[1]?.status).toBe('pass');
  });

  test('a source that another host answers for is a mistake in the inventory', () => {
    const [taken] = judge(fleet, `taken 0 10.18.43.203\n${sixteen}`, bound());
    expect(taken).toMatchObject({ status: 'fail', host: 'probe', found: 'another host answers for 10.18.43.203, a source of probe' });
  });
});

describe('a server that is not known to speak HTTP', () => {
  const database = clusters.plainFleet({ port: 3306, realServers: [{ host: 'web1', rip: '10.18.43.13', port: 3306, weight: 1 }] });
  const opened = (...statuses: readonly string[]) =>
    `using 0 1\n${statuses.map((status) => `got 0 ${status} 1 0 - -\n`).join('')}exit 0 0\n`;

  test('is connected to, which shows nothing of the spread', () => {
    const [errors, spread] = judge(database, opened('200', '200'));
    expect(errors).toMatchObject({ status: 'pass', found: '2 of 2 connections of probe to 10.18.43.30:3306 opened' });
    expect(spread).toMatchObject({
      status: 'not-run',
      found: 'connections to 10.18.43.30:3306 were opened alone: which backend took them is not to be seen',
    });
  });

  test('that takes no connection fails', () => {
    expect(judge(database, opened('200', '000'))[0]).toMatchObject({
      status: 'fail',
      found: '1 of 2 connections of probe to 10.18.43.30:3306 opened: 1 without an answer',
    });
  });

  test('is asked for a page where the user says which', () => {
    const [errors] = judge(database, `using 0 1\n${own('1'.repeat(40))}`, undefined, { path: '/whoami' });
    expect(errors?.found).toContain('40 of 40 requests of probe to 10.18.43.30:3306 answered with status 200');
  });
});

describe('a web server that lvsctl does not see to', () => {
  const check = { kind: 'http', timeout: 3, retry: 1, delayBeforeRetry: 1, delayLoop: 6, path: '/healthz', status: 204 } as const;
  const foreign = clusters.plainFleet({ check });

  test('is asked what its health check asks, and its page need not hold a name', () => {
    expect(statuses(judge(foreign, `using 0 1\n${own('0'.repeat(40), 204)}`))).toEqual(['pass', 'not-run']);
    expect(judge(foreign, `using 0 1\n${own('0'.repeat(40), 200)}`)[0]).toMatchObject({ status: 'fail' });
  });

  test.each([
    ['one backend alone', '1'.repeat(40)],
    ['now one, now none', '10'.repeat(20)],
  ])('names on its pages prove no mistake: %s', (_, marks) => {
    expect(judge(foreign, `using 0 1\n${own(marks, 204)}`)[1]).toMatchObject({ status: 'not-run' });
  });

  test('nor that a client was not kept', () => {
    const persistent = clusters.fleetWith({ check });
    const torn = `using 0 16\n${from('12'.repeat(8)).replaceAll(' 200 1 ', ' 204 1 ').replace('1 10.18.43.200', '2 10.18.43.200')}`;
    expect(judge(persistent, torn)[2]).toMatchObject({ status: 'not-run' });
  });
});

describe('probe', () => {
  const text = (among: Fleet, host: string): string =>
    JSON.stringify(traffic.probe(traffic.params.parse({}), hostNamed(host, among), among));

  test('borrows addresses only where one address shows nothing', () => {
    expect(text(fleet, 'probe')).toContain('10.18.43.200');
    expect(text(plainFleet(), 'probe')).not.toContain('10.18.43.200');
    expect(text(plainFleet({ scheduler: 'sh' }), 'probe')).toContain('10.18.43.200');
  });

  test('asks directors about bindings only where addresses are borrowed', () => {
    expect(text(fleet, 'dr1')).toContain('0A122BC8');
    expect(traffic.probe(traffic.params.parse({}), hostNamed('dr1'), plainFleet())).toBeUndefined();
    expect(
      traffic.probe(traffic.params.parse({}), hostNamed('dr1'), { ...fleet, hosts: fleet.hosts.filter(({ role }) => role !== 'client') }),
    ).toBeUndefined();
  });
});
