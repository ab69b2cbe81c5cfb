/** `lvsctl lab …`: the rehearsal of an inventory on real kernels, on this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { EXIT, LvsError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { labDown } from '../../lab/down.ts';
import { labOf, rehearse, power as setPower } from '../../lab/lab.ts';
import { namespaceOf } from '../../lab/places.ts';
import type { LabProgress } from '../../lab/progress.ts';
import { labStatus } from '../../lab/status.ts';
import { labUp } from '../../lab/up.ts';
import type { Host } from '../../model.ts';
import { runScript } from '../../transport/run-script.ts';
import { sshTransport } from '../../transport/ssh/ssh.ts';
import { printable } from '../../view/printable.ts';
import { say as print } from '../../view/say.ts';
import { complain } from '../complain.ts';

/** Seconds that a command of `lab exec` may take. */
const execTimeout = 600;

export async function up(file: string): Promise<void> {
  const { fleet } = loadInventory(file);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const began = Date.now();
  const lab = await labUp(fleet, say, stop.signal);
  const seconds = Math.round((Date.now() - began) / 1000);
  print(`lab ${lab.name} is up: ${lab.hosts.length} machines answer after ${seconds} s`);
}

export async function down(file: string): Promise<void> {
  const { fleet } = loadInventory(file);
  print((await labDown(fleet)) ? 'the lab is gone' : 'there was no lab');
}

export async function status(file: string, flags: { readonly json?: boolean }): Promise<void> {
  const found = await labStatus(loadInventory(file).fleet);
  if (!found.up || found.hosts.some(({ answers }) => !answers)) process.exitCode = EXIT.unreachable;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  print(`lab ${found.name}: ${found.up ? 'up' : 'down'}`);
  const width = Math.max(0, ...found.hosts.map(({ host }) => host.length));
  for (const { host, address, running, answers, uptime } of found.hosts) {
    const state = answers ? `answers, up ${Math.round(uptime ?? 0)} s` : running ? 'runs, does not answer' : 'off';
    print(`${host.padEnd(width)}  ${address.padEnd(15)}  ${state}`);
  }
}

export async function ssh(file: string, name: string): Promise<void> {
  const { fleet } = loadInventory(file);
  const lab = await labOf(fleet);
  const [host] = selectHosts(fleet, name);
  const login = [
    'ssh',
    '-i',
    lab.keyFile,
    '-o',
    `UserKnownHostsFile=${lab.knownHostsFile}`,
    '-o',
    'IdentitiesOnly=yes',
    `root@${host?.address}`,
  ];
  const child = spawn('ip', ['netns', 'exec', namespaceOf(lab.name), ...login], { stdio: 'inherit' });
  const [code] = await once(child, 'close');
  process.exitCode = code ?? EXIT.unreachable;
}

/** Runs a shell command line on every machine that the pattern names, side by side; exits with the worst of their exit codes. */
export async function exec(file: string, pattern: string, words: readonly string[]): Promise<void> {
  const { fleet } = loadInventory(file);
  const lab = await labOf(fleet);
  const hosts = selectHosts(rehearse(fleet, lab), pattern);
  const transport = sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial, configFile: '' });
  const run = async (host: Host): Promise<number> => {
    const name = hosts.length > 1 ? `${host.name}: ` : '';
    const connection = await transport.connect(host);
    try {
      const { stdout, stderr, exit } = await runScript(connection, `${words.join(' ')}\n`, { timeout: execTimeout });
      write(process.stdout, stdout, name);
      write(process.stderr, exit === null ? `${stderr}the line broke\n` : stderr, name);
      return exit ?? EXIT.unreachable;
    } finally {
      connection.close();
    }
  };
  // A machine that does not answer must not keep the others' answers back.
  const runs = hosts.map((host) => run(host).catch((error: unknown) => complain(error, false)));
  process.exitCode = Math.max(0, ...(await Promise.all(runs)));
}

export async function power(file: string, host: string, state: string): Promise<void> {
  if (state !== 'on' && state !== 'off') {
    throw new LvsError(`"${state}" is no state of power`, { code: 'lab.power', exitCode: EXIT.badInput, hint: 'say on or off' });
  }
  const { fleet } = loadInventory(file);
  await setPower(await labOf(fleet), host, state);
}

function write(stream: NodeJS.WriteStream, text: string, name: string): void {
  for (const line of text.split('\n').slice(0, text.endsWith('\n') || text === '' ? -1 : undefined))
    stream.write(`${name}${printable(line)}\n`);
}

function say({ host, doing, done, total }: LabProgress): void {
  const amount = done !== undefined && total !== undefined ? ` (${done} of ${total})` : '';
  print(`${host ? `${host}: ` : ''}${doing}${amount}`);
}
