/** The playbook of `lvsctl teardown`: what goes when, over all hosts; and what it does not begin with. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { refuseServing } from '../../src/cli/commands/teardown.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { type Change, defineTask, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const { fleet } = loadInventory('inventory/dr.yaml');
const teardown = readFileSync('playbooks/teardown.yaml', 'utf8');

/** Something of any kind that a host can be without: here it is a file. */
const thing = defineTask({
  summary: 'a thing',
  params: z.strictObject({ name: z.string() }),
  touches: () => ['host:thing'],
  before: ({ name }) => {
    const path = `/srv/${name.replaceAll(/[:/]/g, '-')}`;
    return [{ resource: name, record: sh`[ ! -e ${path} ]`, differs: sh`[ -e ${path} ]`, restore: sh`rm ${path}` }];
  },
  probe: ({ name }) => sh`cat ${`/srv/${name.replaceAll(/[:/]/g, '-')}`}`,
  parse: ({ exit }) => exit === 0,
  plan: (seen, { name }): readonly Change[] =>
    seen ? [] : [{ id: 'add', title: `add ${name}`, was: '', will: 'x\n', run: sh`: >${`/srv/${name.replaceAll(/[:/]/g, '-')}`}` }],
  settled: ({ name }) => `${name} is there`,
  example: { name: 'service:a' },
});
const tasks = new Map([['thing', thing]]);
const things = [
  'packages:installed',
  'file:/a',
  'sysctl:a',
  'address:10.0.0.1/32@lo',
  'service:nginx.service',
  'service:lvsctl-vip.service',
];
const book = `- name: p\n  hosts: directors:backends\n  tasks:\n${things.map((name) => `    - thing: { name: "${name}" }\n`).join('')}`;

test('directors stop serving, then real servers lose the VIP, then ARP is as before, then all else goes', async () => {
  expect(await hosts.deploy(book, { tasks })).toMatchObject({ exitCode: 0, notes: [] });
  const report = await hosts.deploy(teardown, { extraVars: { force: false } });
  expect(report).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 4 * things.length } });
  const done = hosts.story.filter((line) => line.startsWith('web1 done '));
  expect(done.map((line) => /lvsctl-vip|address|set a|nginx|file|packages/.exec(line)?.[0])).toEqual([
    ...['lvsctl-vip', 'address', 'set a', 'nginx', 'file', 'packages'],
  ]);
  const at = (pattern: RegExp): readonly number[] => hosts.story.flatMap((line, index) => (pattern.test(line) ? [index] : []));
  const served = at(/^dr\d done .*(service|address)/);
  expect(served).toHaveLength(6);
  expect(Math.max(...served)).toBeLessThan(Math.min(...at(/^web\d begin/)));
  expect(Math.max(...at(/^web\d done .*(service|address|set a)/))).toBeLessThan(Math.min(...at(/packages/)));
  expect(await hosts.plan(teardown, { extraVars: { force: false } })).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
});

/** The keepalived of somebody else, whose service this run has only been told of. */
const ranBefore = defineTask({
  summary: 'a service that ran',
  params: z.strictObject({}),
  touches: () => ['host:service'],
  before: () => [
    {
      resource: 'service:keepalived.service',
      record: sh`echo active enabled >state`,
      differs: sh`false`,
      restore: sh`echo read >>/srv/read`,
    },
  ],
  probe: () => sh`cat /srv/told 2>/dev/null`,
  parse: ({ exit }) => exit === 0,
  plan: (seen): readonly Change[] => (seen ? [] : [{ id: 'tell', title: 'tell it', was: '', will: 'x\n', run: sh`: >/srv/told` }]),
  settled: () => 'it is told',
  example: {},
});

test('a keepalived that ran before is not stopped: it reads its old files before the real servers are touched', async () => {
  const taken = `- name: p
  hosts: directors
  tasks:
    - thing: { name: "file:/etc/keepalived/keepalived.conf" }
    - thing: { name: "file:/usr/local/sbin/other" }
    - ran: {}
- name: q
  hosts: backends
  tasks:
    - thing: { name: "address:10.0.0.1/32@lo" }
`;
  await hosts.deploy(taken, { tasks: new Map([...tasks, ['ran', ranBefore as never]]) });
  expect(await hosts.deploy(teardown, { extraVars: { force: false } })).toMatchObject({ exitCode: 0, notes: [] });
  const order = hosts.story.flatMap(
    (line) => /^(dr1|web1) done .*(keepalived\.conf|ran before|other|address)/.exec(line)?.slice(1).join(' ') ?? [],
  );
  expect(order).toEqual(['dr1 keepalived.conf', 'dr1 ran before', 'web1 address', 'dr1 other']);
  expect(hosts.read('dr1', 'read')).toBe('read\n');
});

test('a director that is not right afterwards keeps the real servers as they are', async () => {
  await hosts.deploy(book, { tasks });
  const report = await hosts.deploy(teardown, { extraVars: { force: false }, unreachable: ['dr2'] });
  expect(report.exitCode).toBe(5);
  expect(hosts.story.filter((line) => line.startsWith('web'))).toEqual([]);
});

test.each(['web1', 'dr1:web1', 'backends'])('%s alone: directors still send clients there', (limit) => {
  expect(() => refuseServing(fleet, limit)).toThrow(/would go away while directors send clients there/);
});

test.each(['all', 'directors', 'directors:web1', 'clients'])('%s: nobody is sent where nothing is any more', (limit) => {
  expect(() => refuseServing(fleet, limit)).not.toThrow();
});

test('a real server that no service names any more may go alone', () => {
  const services = fleet.services.map((service) => ({
    ...service,
    realServers: service.realServers.filter(({ host }) => host !== 'web1'),
  }));
  expect(() => refuseServing({ ...fleet, services }, 'web1')).not.toThrow();
});
