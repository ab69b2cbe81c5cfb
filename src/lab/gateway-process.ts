import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EXIT, LvsError } from '../errors.ts';
import { commandPath, interrupted } from '../machine/run.ts';
import { gatewaySocket } from './dial.ts';
import type { Layout } from './layout.ts';
import { namespaceOf } from './places.ts';

/** Starts the lab's gateway in its namespace and waits until it takes connections. It goes on when this process ends. */
export async function startGateway(layout: Layout, directory: string, repository: string, signal?: AbortSignal): Promise<void> {
  const addresses = layout.segments.flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
  writeFileSync(join(directory, 'gateway.json'), JSON.stringify({ addresses, repository }));
  const log = openSync(join(directory, 'gateway.log'), 'a', 0o600);
  const child = spawn(
    'ip',
    ['netns', 'exec', namespaceOf(layout.name), process.execPath, ...gatewayScript(), 'lvsctl-lab-gateway', directory],
    { detached: true, stdio: ['ignore', log, log], cwd: '/', env: { PATH: commandPath() } },
  );
  closeSync(log);
  let ended = false;
  child.on('error', () => (ended = true)).on('exit', () => (ended = true));
  child.unref();
  for (const limit = Date.now() + 30_000; !(await gatewayAnswers(directory)); await wait(50)) {
    if (signal?.aborted) throw interrupted();
    if (ended || Date.now() > limit) {
      throw new LvsError(`the lab's gateway does not run; ${join(directory, 'gateway.log')} says why`, {
        code: 'lab.gateway',
        exitCode: EXIT.taskFailed,
      });
    }
  }
}

/** Whether a gateway listens for the lab in `directory`. */
export function gatewayAnswers(directory: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(gatewaySocket(directory));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The script as this program itself runs: compiled, or from source through the loader of the development tools. */
export function gatewayScript(): readonly string[] {
  const source = import.meta.url.endsWith('.ts');
  const script = fileURLToPath(new URL(source ? './gateway.ts' : './gateway.js', import.meta.url));
  return source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, script] : [script];
}
