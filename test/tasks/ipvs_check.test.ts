import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import ipvsCheck from '../../src/tasks/ipvs_check.ts';
import { checkText } from '../../src/tasks/support/ipvs/check-text.ts';
import type { VirtualServer } from '../../src/tasks/support/ipvs/rules.ts';
import { exampleService } from '../../src/tasks/support/keepalived/params.ts';
import { planContext } from '../support/plan-context.ts';

// The program forks for every check, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });
const soon = { timeout: 30_000, interval: 50 };

type Service = VirtualServer;
const { persistence: _persistence, ...withoutPersistence } = exampleService;

/** wlc over two real servers of different weight, and a sorry server. */
const example: Service = {
  ...withoutPersistence,
  scheduler: 'wlc',
  realServers: [
    { host: 'web1', rip: '10.18.43.13', port: 80, weight: 2 },
    { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
  ],
  sorryServer: { address: '127.0.0.1', port: 80 },
};
const place = '-t 10.18.43.30:80';

/** A table of IPVS in a file: it knows -S, -a, -e and -d of ipvsadm. */
const ipvsadm = `#!/bin/bash
table=TABLE
case $1 in
  -S) cat "$table" ;;
  -a) ! grep -qF -- "-a $2 $3 -r $5 " "$table" && printf '%s\\n' "-a $2 $3 -r $5 \${*:6}" >>"$table" ;;
  -e) grep -qF -- "-a $2 $3 -r $5 " "$table" ;;
  -d) grep -qF -- "-a $2 $3 -r $5 " "$table" && { grep -vF -- "-a $2 $3 -r $5 " "$table" >"$table.new"; mv "$table.new" "$table"; } ;;
esac`;

let folder: string;
let child: ChildProcess | undefined;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-check-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  if (child?.pid && child.exitCode === null) {
    const ended = once(child, 'exit');
    process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
  child = undefined;
  rmSync(folder, { recursive: true });
});

/** Answers with this status, on the port or on a free one. */
async function listen(port = 0, status = 200): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(`HTTP/1.0 ${status} X\r\n\r\na page of ${status}\n`));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

const close = async (index: number): Promise<void> => {
  const [server] = servers.splice(index, 1);
  await new Promise((resolve) => server?.close(resolve));
};

const table = () => readFileSync(join(folder, 'table'), 'utf8').trim().split('\n');
const state = () => (existsSync(join(folder, 'check.state')) ? readFileSync(join(folder, 'check.state'), 'utf8') : '');
const rows = (...servers: readonly string[]) => expect.poll(() => table().slice(1).sort(), soon).toEqual([...servers].sort());
const row = (port: number, weight = 1, address = '127.0.0.1') => `-a ${place} -r ${address}:${port} -g -w ${weight}`;

/** The program as it is shipped, but with folders of the test's own. `extra` are rows that are not in the table at first. */
function start(service: Service, missing: readonly string[] = [], more: readonly Service[] = []): { readonly log: () => string } {
  const { text } = checkText([service, ...more], 1);
  const own = text
    .replace('/run/lvsctl/ipvs-check.state', join(folder, 'check.state'))
    .replace('PATH=/usr/local/sbin', `PATH=${folder}:/usr/local/sbin`);
  writeFileSync(join(folder, 'program'), own.replace(/^interval=1\n/m, 'interval=0.2\n'));
  writeFileSync(join(folder, 'ipvsadm'), ipvsadm.replace('TABLE', join(folder, 'table')));
  chmodSync(join(folder, 'ipvsadm'), 0o755);
  const all = service.realServers.map((real) => row(real.port, real.weight)).filter((each) => !missing.includes(each));
  writeFileSync(join(folder, 'table'), `-A ${place} -s wlc\n${all.map((each) => `${each}\n`).join('')}`);
  child = spawn('bash', [join(folder, 'program')], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => said.push(data.toString()));
  return { log: () => said.join('') };
}

const service = (ports: readonly number[], more: Partial<Service> = {}): Service => ({
  ...example,
  realServers: ports.map((port, index) => ({ host: `web${index}`, rip: '127.0.0.1', port, weight: index === 0 ? 2 : 1 })),
  check: { kind: 'http', timeout: 5, retry: 1, delayBeforeRetry: 0.1, delayLoop: 6, path: '/', status: 200 },
  sorryServer: { address: '127.0.0.9', port: 80 },
  ...more,
});

describe('the program', () => {
  test('takes a dead real server out, lets the sorry server answer when none is left, and undoes both', async () => {
    const [one, two] = [await listen(), await listen()];
    const { log } = start(service([one, two]));
    await rows(row(one, 2), row(two));
    await close(1);
    await rows(row(one, 2));
    await expect.poll(state, soon).toContain(`real out ${place} 127.0.0.1:${two}`);
    await close(0);
    await rows(row(80, 1, '127.0.0.9'));
    await expect
      .poll(state, soon)
      .toContain(`steady\nreal out ${place} 127.0.0.1:${one}\nreal out ${place} 127.0.0.1:${two}\nsorry in ${place} 127.0.0.9:80`);
    await listen(one);
    await rows(row(one, 2));
    await listen(two);
    await rows(row(one, 2), row(two));
    const said = log().trim().split('\n');
    expect(said).toHaveLength(6);
    expect(said[0]).toBe(`10.18.43.30:80: the real server 127.0.0.1:${two} is down, and now out`);
  });

  test('looks after every service, not the last alone', async () => {
    const [one, two] = [await listen(), await listen()];
    start(service([one, two]), [], [service([one, two], { vip: '10.18.43.31' })]);
    await expect.poll(state, soon).toContain('steady');
    await close(1);
    const ofFirst = () => table().filter((line) => line.startsWith(`-a ${place} `));
    await expect.poll(ofFirst, soon).toEqual([row(one, 2)]);
  });

  test('a wrong status is no answer', async () => {
    const [one, two] = [await listen(), await listen(0, 503)];
    start(service([one, two]));
    await rows(row(one, 2));
  });

  test('a pattern that the page lacks is no answer', async () => {
    const [one, two] = [await listen(), await listen()];
    const { check } = service([]);
    start(service([one, two], { check: { ...check, regex: '^a page of \\d+$' } }));
    await expect.poll(state, soon).toContain('real in');
    await rows(row(one, 2), row(two));
    servers[1]?.removeAllListeners('connection');
    servers[1]?.on('connection', (socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nnothing of the kind\n')));
    await rows(row(one, 2));
  });

  test('tcp wants a connection', async () => {
    const one = await listen();
    const { check } = service([]);
    start(service([one, 1], { check: { ...check, kind: 'tcp' } }));
    await rows(row(one, 2));
  });

  test('starts with what the table shows: who is missing comes back only when it answers', async () => {
    const [one, two] = [await listen(), await listen()];
    await close(1);
    const { log } = start(service([one, two]), [row(two)]);
    await expect.poll(state, soon).toContain(`real out ${place} 127.0.0.1:${two}`);
    expect(log()).toBe('');
    await listen(two);
    await rows(row(one, 2), row(two));
  });

  test('below the quorum the sorry server answers alone', async () => {
    const [one, two] = [await listen(), await listen()];
    start(service([one, two], { quorum: 2 }));
    await expect.poll(state, soon).toContain('real in');
    await close(0);
    await rows(row(80, 1, '127.0.0.9'));
  });

  test('without a sorry server the last row goes, too', async () => {
    const one = await listen();
    const { sorryServer: _, ...alone } = service([one]);
    start(alone);
    await rows(row(one, 2));
    await close(0);
    await rows();
  });
});

describe('what it cannot do', () => {
  const bare = { stdout: '', stderr: '', exit: 0 };
  const plan = (check: Partial<Service['check']>) => {
    const want = ipvsCheck.params.parse({ services: [service([80], { check: { ...service([]).check, ...check } })], interval: 2 });
    return () => ipvsCheck.plan(ipvsCheck.parse(bare, want), want, planContext({ host: 'dr1' }));
  };

  test('is refused with what would do', () => {
    for (const kind of ['dns', 'udp', 'ping'] as const)
      expect(plan({ kind })).toThrow(new RegExp(`the check ${kind} of 10\\.18\\.43\\.30:80`));
  });
});

describe('its values', () => {
  test('are one word each, whatever is in them', () => {
    const { check } = service([]);
    const text = checkText(
      [service([80], { check: { ...check, kind: 'misc', script: '/x/check.sh', arguments: ['{rip}', "it's $(x)", '{port}'] } })],
      2,
    ).text;
    expect(text).toContain(`timeout 5 /usr/local/lib/lvsctl/checks/check.sh 127.0.0.1 'it'\\''s $(x)' 80\n`);
  });

  test('a name in the handshake is that of the URL, and the connection goes to the real server', () => {
    const { check } = service([]);
    const text = checkText([service([443], { check: { ...check, kind: 'https', hostHeader: 'www.example.org', sni: true } })], 2).text;
    expect(text).toContain("--connect-to ::127.0.0.1:443 -H 'Host: www.example.org' https://www.example.org:443/");
  });
});
