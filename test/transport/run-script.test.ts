import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frame, newNonce, unframe } from '../../src/sh/frame.ts';
import { localTransport } from '../../src/transport/local.ts';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { startProxy } from '../support/proxy.ts';
import { type Sshd, sshdHost, startSshd, writeKnownHosts } from '../support/sshd.ts';

let sshd: Sshd;
const connections: Record<string, Connection> = {};
beforeAll(async () => {
  sshd = await startSshd();
  connections.ssh = await sshTransport({ knownHosts: [writeKnownHosts(sshd)], agentSocket: '' }).connect(sshdHost(sshd));
  connections.local = await localTransport().connect(sshdHost(sshd));
});
afterAll(async () => {
  for (const connection of Object.values(connections)) connection.close();
  await sshd.stop();
});

describe.each(['ssh', 'local'])('over %s', (name) => {
  const run = (script: string, options: { timeout?: number; limit?: number } = {}): ReturnType<typeof runScript> =>
    runScript(connections[name] as Connection, script, { timeout: 20, ...options });

  it('gives both outputs and the exit code', async () => {
    expect(await run('echo out; echo err >&2; exit 9\n')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exit: 9,
      truncated: false,
      timedOut: false,
    });
  });

  it('takes a script far larger than a command line may be', async () => {
    const comment = `# ${'x'.repeat(98)}\n`.repeat(40_000);
    expect(await run(`${comment}echo done\n`)).toMatchObject({ stdout: 'done\n', exit: 0 });
  });

  it('keeps a character whole that came in two pieces', async () => {
    const script = "printf '\\342\\202'; sleep 0.2; printf '\\254'; printf '\\303' >&2; sleep 0.2; printf '\\251' >&2\n";
    expect(await run(script)).toMatchObject({ stdout: '€', stderr: 'é' });
  });

  it('carries any output byte for byte', async () => {
    const { stdout } = await run('head -c 3000000 /dev/zero | tr "\\0" "x"; printf "\\r\\n\\t"\n');
    expect(stdout).toBe(`${'x'.repeat(3_000_000)}\r\n\t`);
  });

  it('stops at the limit, which both outputs share', async () => {
    const result = await run('head -c 600 /dev/zero; sleep 0.1; head -c 600 /dev/zero >&2; yes\n', { limit: 1000 });
    expect(result).toMatchObject({ truncated: true, exit: null });
    expect(result.stdout.length + result.stderr.length).toBe(1000);
  });

  it('is not truncated at exactly the limit', async () => {
    expect(await run('head -c 1000 /dev/zero\n', { limit: 1000 })).toMatchObject({ truncated: false, exit: 0 });
  });

  it('does not wait longer than it was told, and keeps what came until then', async () => {
    expect(await run('echo begun; exec sleep 5\n', { timeout: 2 })).toEqual({
      stdout: 'begun\n',
      stderr: '',
      exit: null,
      truncated: false,
      timedOut: true,
    });
  });

  it('runs nothing of a framed script that was cut', async () => {
    const nonce = newNonce();
    const script = frame(['echo one', 'echo two'], nonce);
    const whole = await run(script);
    expect(unframe(whole.stdout, whole.stderr, nonce, 2)?.map((output) => output.stdout)).toEqual(['one\n', 'two\n']);
    const cut = await run(script.slice(0, -10));
    expect(cut.stdout).toBe('');
  });
});

it('says that the line broke by an exit that is null', async () => {
  const proxy = await startProxy(sshd.port);
  const known = sshd.knownHostsLine.replace(`:${sshd.port} `, `:${proxy.port} `);
  const host = sshdHost(sshd, { port: proxy.port });
  const connection = await sshTransport({ knownHosts: [writeKnownHosts(sshd, known)], agentSocket: '' }).connect(host);
  const shell = connection.shell.bind(connection);
  // Cuts the line as soon as the script has said something.
  const cutting: Connection = {
    ...connection,
    shell: async () => {
      const channel = await shell();
      channel.stdout.once('data', proxy.cut);
      return channel;
    },
  };
  expect(await runScript(cutting, 'echo step 1; exec sleep 3\n', { timeout: 20 })).toMatchObject({
    stdout: 'step 1\n',
    exit: null,
    truncated: false,
    timedOut: false,
  });
  await proxy.stop();
});
