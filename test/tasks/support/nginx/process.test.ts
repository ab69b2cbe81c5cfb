/** What is found out about a running nginx, on real processes: shells that carry its name. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderSh, type Sh } from '../../../../src/sh/sh.ts';
import { nginxLayout } from '../../../../src/tasks/support/nginx/layout.ts';
import { binaryIsCurrent, configIsLoaded, probeBinary, probeConfig } from '../../../../src/tasks/support/nginx/process.ts';

let prefix = '';
let master: ChildProcess | undefined;
const at = (file: string): string => join(prefix, file);

beforeEach(() => {
  prefix = mkdtempSync(join(tmpdir(), 'lvsctl-nginx-'));
  for (const folder of ['sbin', 'conf', 'logs']) mkdirSync(at(folder));
  copyFileSync(realpathSync('/bin/sh'), at('sbin/nginx'));
  writeFileSync(at('conf/nginx.conf'), 'events {}\n');
});
afterEach(() => {
  if (master?.pid !== undefined) process.kill(-master.pid, 'SIGKILL');
  master = undefined;
  rmSync(prefix, { recursive: true, force: true });
});

/** A master with one worker, in a process group of its own. */
async function start(): Promise<void> {
  const worker = `sleep 60; :`;
  master = spawn(at('sbin/nginx'), ['-c', `"$0" -c '${worker}' & echo up; wait`, at('sbin/nginx')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(master.stdout as NonNullable<typeof master.stdout>, 'data');
  writeFileSync(at('logs/nginx.pid'), `${master.pid}\n`);
}

function run(fragment: Sh): { readonly status: number | null; readonly said: string } {
  const { status, stdout } = spawnSync('sh', ['-e', '-c', renderSh(fragment, (value) => value)], { encoding: 'utf8' });
  return { status, said: stdout };
}

/** Sets a file's time, in seconds from now. */
function age(file: string, seconds: number): void {
  const time = Date.now() / 1000 + seconds;
  utimesSync(at(file), time, time);
}

describe('an nginx that does not run', () => {
  test.each([undefined, '', 'x\n', '99999999\n', `${process.pid}\n`])('with a pid file of %j', (content) => {
    if (content !== undefined) writeFileSync(at('logs/nginx.pid'), content);
    expect(run(probeBinary(nginxLayout(prefix))).said).toBe('binary none\n');
    expect(run(probeConfig(nginxLayout(prefix))).said).toBe('config none\n');
    expect([run(binaryIsCurrent(nginxLayout(prefix))).status, run(configIsLoaded(nginxLayout(prefix))).status]).toEqual([0, 0]);
  });
});

describe('the binary that runs', () => {
  test('is the installed one', async () => {
    await start();
    expect(run(probeBinary(nginxLayout(prefix))).said).toBe('binary current\n');
    expect(run(binaryIsCurrent(nginxLayout(prefix))).status).toBe(0);
  });

  test('is an old one after another was renamed into place', async () => {
    await start();
    copyFileSync(realpathSync('/bin/sh'), at('sbin/new'));
    renameSync(at('sbin/new'), at('sbin/nginx'));
    expect(run(probeBinary(nginxLayout(prefix))).said).toBe('binary old\n');
    expect(run(binaryIsCurrent(nginxLayout(prefix))).status).toBe(1);
  });

  test('is an old one when none is installed any more', async () => {
    await start();
    rmSync(at('sbin/nginx'));
    expect(run(probeBinary(nginxLayout(prefix))).said).toBe('binary old\n');
  });
});

describe('the configuration', () => {
  test('is loaded when it is older than the process', async () => {
    await start();
    age('logs/nginx.pid', 1);
    expect(run(probeConfig(nginxLayout(prefix))).said).toBe('config loaded\n');
    expect(run(configIsLoaded(nginxLayout(prefix))).status).toBe(0);
  });

  test('is pending when any file of it is newer than process and workers', async () => {
    await start();
    age('conf/nginx.conf', -60);
    writeFileSync(at('conf/site.conf'), '');
    age('conf/site.conf', 1);
    expect(run(probeConfig(nginxLayout(prefix))).said).toBe('config pending\n');
    expect(run(configIsLoaded(nginxLayout(prefix))).status).toBe(1);
  });

  test('is loaded when somebody else has reloaded: the workers are younger', async () => {
    // the start of a process is told in whole seconds only
    await new Promise((wake) => setTimeout(wake, 3_100));
    await start();
    age('logs/nginx.pid', -3600);
    expect(run(probeConfig(nginxLayout(prefix))).said).toBe('config loaded\n');
  });

  test('is pending when an old copy of it was put back after that', async () => {
    await new Promise((wake) => setTimeout(wake, 3_100));
    await start();
    age('logs/nginx.pid', -3600);
    writeFileSync(at('conf/nginx.conf'), 'events {}\n');
    age('conf/nginx.conf', -7200);
    expect(run(probeConfig(nginxLayout(prefix))).said).toBe('config pending\n');
  });
});
