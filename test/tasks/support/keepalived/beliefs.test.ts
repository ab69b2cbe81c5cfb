import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderSh } from '../../../../src/sh/sh.ts';
import { parseBeliefs, saysOtherwise } from '../../../../src/tasks/support/keepalived/beliefs.ts';

const golden = JSON.parse(readFileSync('test/golden/tasks/ipvs/every-kind-as-believed.json', 'utf8'));
const said = (golden.output.stdout as readonly string[]).filter((line) => line.startsWith('says ')).map((line) => line.slice(5));
const believed = parseBeliefs(said);
let dump: string;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-beliefs-'));
  dump = join(folder, 'keepalived_check.data');
  writeFileSync(dump, `${said.join('\n')}\n`);
  return () => rmSync(folder, { recursive: true });
});

test('every kind of virtual server is read', () => {
  expect(believed.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`)).toEqual([
    'TCP 10.99.0.30 80',
    'TCP 10.99.0.31 80',
    'TCP 10.99.0.32 80',
    'FWM 1 0',
    'UDP 10.99.0.34 514',
    'TCP 10.99.0.35 443',
    'UDP 10.99.0.36 53',
    'TCP fd00:99::30 80',
    'FWM 2 0',
  ]);
  expect(believed[2]).toMatchObject({ scheduler: 'mh', flags: ['mh-fallback', 'mh-port'] });
  expect(believed[4]).toMatchObject({ onePacket: true, quorumUp: false, sorry: undefined });
  expect(believed[5]).toMatchObject({ quorumUp: false, sorry: { address: '10.99.0.13', port: 443, forward: 'dr' } });
  expect(believed[1]?.servers[0]).toMatchObject({ upperThreshold: 1000, lowerThreshold: 800 });
});

describe('a real server is looked for in its own virtual server, and there alone', () => {
  const rows = believed.flatMap((service) => service.servers.map((server) => ({ service, server })));

  test.each(rows)('$service.protocol $service.address $server.address', ({ service, server }) => {
    const exit = (alive: boolean): number | null => {
      const script = renderSh(saysOtherwise(service, server, alive), (value) => value);
      return spawnSync('dash', ['-c', script], { env: { ...process.env, dump } }).status;
    };
    expect([exit(server.alive), exit(!server.alive)]).toEqual([1, 0]);
  });
});
