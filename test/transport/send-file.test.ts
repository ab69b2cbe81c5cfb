import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchFile, sendFile } from '../../src/transport/send-file.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { receiveScript } from '../../src/transport/transfer-scripts.ts';
import type { Channel, Connection } from '../../src/transport/transport.ts';
import { startProxy } from '../support/proxy.ts';
import { shells } from '../support/shells.ts';
import { type Sshd, sshdHost, startSshd, writeKnownHosts } from '../support/sshd.ts';

/** One server per shell that targets may have: it runs that shell whatever is asked for. */
const servers = new Map<string, { readonly sshd: Sshd; readonly connection: Connection }>();
const names = shells.map((shell) => shell.join(' '));
let dir: string;
let connection: Connection;

beforeAll(async () => {
  for (const name of names) {
    const sshd = await startSshd({ config: [`ForceCommand exec ${name}`] });
    servers.set(name, {
      sshd,
      connection: await sshTransport({ knownHosts: [writeKnownHosts(sshd)], agentSocket: '' }).connect(sshdHost(sshd)),
    });
  }
  connection = connectionOf('dash');
});
afterAll(async () => {
  for (const { sshd, connection } of servers.values()) {
    connection.close();
    await sshd.stop();
  }
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lvsctl-send-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function connectionOf(name: string): Connection {
  const found = servers.get(name);
  if (!found) throw new Error(`no server runs ${name}`);
  return found.connection;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function localFile(bytes: Uint8Array): { readonly path: string; readonly sha256: string } {
  const path = join(dir, 'local');
  writeFileSync(path, bytes);
  return { path, sha256: sha256(bytes) };
}

const ignore = (): void => undefined;
/** Bytes that a shell which read too far would run, and that a careless transfer would bend. */
const nasty = Buffer.from('echo harm >&2; exit 99\n}\n\0\r\n\u0004\u0003\n\nexit 98\n');
/** Sizes around the blocks in which shells read. */
const sizes = [0, 1, 1023, 1024, 1025, 4095, 4096, 8191, 8192, 8193, 65536, 100_000];

describe.each(names)('byte for byte, where the host’s shell is %s', (name) => {
  it.each(sizes)('%i bytes, there and back', async (size) => {
    const bytes = Buffer.alloc(size, size % 2 === 0 ? nasty : randomBytes(997));
    const to = join(dir, 'remote');
    await sendFile(connectionOf(name), { ...localFile(bytes), to, mode: '640' }, ignore);
    expect(readFileSync(to).equals(bytes)).toBe(true);
    expect(statSync(to).mode & 0o7777).toBe(0o640);
    await fetchFile(connectionOf(name), { from: to, to: join(dir, 'back') }, ignore);
    expect(readFileSync(join(dir, 'back')).equals(bytes)).toBe(true);
    expect(readdirSync(dir).sort()).toEqual(['back', 'local', 'remote']);
  });

  it('a great one, with progress that grows to the whole', async () => {
    const bytes = randomBytes(12 * 1024 * 1024);
    const to = join(dir, 'remote');
    for (const step of [
      (progress: (done: number, total: number) => void) => sendFile(connectionOf(name), { ...localFile(bytes), to, mode: '600' }, progress),
      (progress: (done: number, total: number) => void) => fetchFile(connectionOf(name), { from: to, to: join(dir, 'back') }, progress),
    ]) {
      const seen: number[] = [];
      await step((done, total) => {
        expect(total).toBe(bytes.length);
        seen.push(done);
      });
      expect(seen.at(-1)).toBe(bytes.length);
      expect(seen.length).toBeGreaterThan(10);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    }
    expect(sha256(readFileSync(join(dir, 'back')))).toBe(sha256(bytes));
  });
});

describe('sending', () => {
  it('does not send again what is there, but sets the mode', async () => {
    const file = { ...localFile(nasty), to: join(dir, 'remote'), mode: '600' };
    await sendFile(connection, file, ignore);
    const before = statSync(file.to);
    const seen: number[][] = [];
    await sendFile(connection, { ...file, mode: '644' }, (...progress) => seen.push(progress));
    expect(seen).toEqual([[nasty.length, nasty.length]]);
    expect(statSync(file.to)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(statSync(file.to).mode & 0o7777).toBe(0o644);
  });

  it('replaces what is there with another content, and a link instead of what it points to', async () => {
    const to = join(dir, 'remote');
    writeFileSync(join(dir, 'elsewhere'), 'untouched');
    symlinkSync(join(dir, 'elsewhere'), to);
    await sendFile(connection, { ...localFile(nasty), to, mode: '600' }, ignore);
    expect(readFileSync(to).equals(nasty)).toBe(true);
    expect(lstatSync(to).isSymbolicLink()).toBe(false);
    expect(readFileSync(join(dir, 'elsewhere'), 'utf8')).toBe('untouched');
  });

  it('makes the directory, for root alone', async () => {
    const to = join(dir, 'new', 'below', 'remote');
    await sendFile(connection, { ...localFile(nasty), to, mode: '600' }, ignore);
    expect(readFileSync(to).equals(nasty)).toBe(true);
    for (const made of [join(dir, 'new'), join(dir, 'new', 'below')]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('keeps hostile names and modes apart from the script', async () => {
    const piece = fc.constantFrom("'", '"', '$(touch harm)', '`id`', '\n', ' ', ';', '-', '\\', '*', 'é', 'x');
    const check = async (pieces: string[]): Promise<void> => {
      const to = join(dir, 'remote', pieces.join('').concat('f'));
      await sendFile(connection, { ...localFile(nasty), to, mode: '600' }, ignore);
      expect(readFileSync(to).equals(nasty)).toBe(true);
      await fetchFile(connection, { from: to, to: join(dir, 'back') }, ignore);
      rmSync(join(dir, 'remote'), { recursive: true });
    };
    await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 6 }), check), { numRuns: 25 });
    const file = { ...localFile(nasty), to: join(dir, 'remote'), mode: '$(touch harm)' };
    await expect(sendFile(connection, file, ignore)).rejects.toMatchObject({ code: 'file.send' });
  });

  it('refuses a file that is not what was promised, and leaves nothing of it', async () => {
    const to = join(dir, 'remote');
    writeFileSync(to, 'before');
    const file = { ...localFile(nasty), sha256: sha256(Buffer.from('other')), to, mode: '600' };
    await expect(sendFile(connection, file, ignore)).rejects.toMatchObject({
      code: 'file.send',
      exitCode: 1,
      where: { host: 'web1' },
      message: expect.stringContaining(sha256(nasty)),
    });
    expect(readFileSync(to, 'utf8')).toBe('before');
    expect(readdirSync(dir).sort()).toEqual(['local', 'remote']);
  });

  it.each([
    ['is a directory', () => join(dir), 'is a directory'],
    ['lies below a file', () => join(dir, 'local', 'below'), 'local'],
    ['cannot be written', () => '/proc/lvsctl', 'proc'],
  ])('says why not when the target %s', async (_, to, reason) => {
    const error = await sendFile(connection, { ...localFile(Buffer.alloc(3_000_000)), to: to(), mode: '600' }, ignore).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'file.send', exitCode: 1 });
    expect(error.message).toContain(reason);
  });

  it('says why not when the disk is full in the middle', async () => {
    const full = await startSshd({ config: ['ForceCommand ulimit -f 2000; trap "" XFSZ; exec dash'] });
    const limited = await sshTransport({ knownHosts: [writeKnownHosts(full)], agentSocket: '' }).connect(sshdHost(full));
    const file = { ...localFile(randomBytes(8 * 1024 * 1024)), to: join(dir, 'remote'), mode: '600' };
    const error = await sendFile(limited, file, ignore).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'file.send', exitCode: 1 });
    expect(error.message).toContain('File too large');
    expect(readdirSync(dir)).toEqual(['local']);
    limited.close();
    await full.stop();
  });

  it('says so when the local file is not there or cannot be read', async () => {
    const to = join(dir, 'remote');
    await expect(sendFile(connection, { path: join(dir, 'none'), sha256: 'x', to, mode: '600' }, ignore)).rejects.toMatchObject({
      code: 'file.read',
    });
    await expect(sendFile(connection, { path: dir, sha256: 'x', to, mode: '600' }, ignore)).rejects.toMatchObject({
      code: 'file.read',
      exitCode: 1,
    });
    expect(existsSync(to)).toBe(false);
  });
});

describe('fetching', () => {
  it('gives a private file', async () => {
    writeFileSync(join(dir, 'remote'), nasty, { mode: 0o644 });
    await fetchFile(connection, { from: join(dir, 'remote'), to: join(dir, 'back') }, ignore);
    expect(statSync(join(dir, 'back')).mode & 0o777).toBe(0o600);
  });

  it('says why not when it is not there, and leaves what was here before', async () => {
    writeFileSync(join(dir, 'back'), 'before');
    const error = await fetchFile(connection, { from: join(dir, 'none'), to: join(dir, 'back') }, ignore).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'file.fetch', exitCode: 1, where: { host: 'web1' } });
    expect(error.message).toContain(`${join(dir, 'none')} is not there`);
    expect(readFileSync(join(dir, 'back'), 'utf8')).toBe('before');
    expect(readdirSync(dir)).toEqual(['back']);
  });

  it('says why not when it cannot be kept here', async () => {
    writeFileSync(join(dir, 'remote'), nasty);
    const error = await fetchFile(connection, { from: join(dir, 'remote'), to: join(dir, 'none', 'back') }, ignore).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'file.fetch', exitCode: 1 });
    expect(error.message).toContain('ENOENT');
  });

  it('refuses what does not match the host’s own sum', async () => {
    writeFileSync(join(dir, 'remote'), nasty);
    const lying = tamper((text) => text.replace(sha256(nasty), sha256(Buffer.from('other'))));
    await expect(fetchFile(lying, { from: join(dir, 'remote'), to: join(dir, 'back') }, ignore)).rejects.toMatchObject({
      code: 'file.fetch',
    });
    const short = tamper((text) => text.slice(0, -5));
    const error = await fetchFile(short, { from: join(dir, 'remote'), to: join(dir, 'back') }, ignore).catch((thrown) => thrown);
    expect(error.message).toContain(`${nasty.length - 5} bytes came instead of ${nasty.length}`);
    expect(readdirSync(dir)).toEqual(['remote']);
  });
});

/** The connection of the tests, whose hosts' whole output is changed on the way. */
function tamper(change: (text: string) => string): Connection {
  const shell = async (): Promise<Channel> => {
    const channel = await connection.shell();
    async function* changed(): AsyncGenerator<Buffer> {
      const chunks: Buffer[] = [];
      for await (const chunk of channel.stdout) chunks.push(chunk);
      yield Buffer.from(change(Buffer.concat(chunks).toString('latin1')), 'latin1');
    }
    return { ...channel, stdout: Readable.from(changed()) };
  };
  return { ...connection, shell };
}

describe.each(['sendFile', 'fetchFile'])('%s over a line that breaks in the middle', (which) => {
  it('says so, and leaves nothing here', async () => {
    const { sshd } = servers.get('dash') as { sshd: Sshd };
    const proxy = await startProxy(sshd.port);
    const known = writeKnownHosts(sshd, sshd.knownHostsLine.replace(`:${sshd.port} `, `:${proxy.port} `));
    const line = await sshTransport({ knownHosts: [known], agentSocket: '' }).connect(sshdHost(sshd, { port: proxy.port }));
    const bytes = randomBytes(16 * 1024 * 1024);
    const to = join(dir, 'target');
    const cutAtThird = (done: number, total: number): void => {
      if (done > total / 3) proxy.cut();
    };
    const file = localFile(bytes);
    const transfer =
      which === 'sendFile'
        ? sendFile(line, { ...file, to, mode: '600' }, cutAtThird)
        : fetchFile(line, { from: file.path, to }, cutAtThird);
    await expect(transfer).rejects.toMatchObject({ code: 'ssh.lost', exitCode: 5, where: { host: 'web1' } });
    expect(existsSync(to)).toBe(false);
    if (which === 'fetchFile') expect(readdirSync(dir)).toEqual(['local']);
    await proxy.stop();
  });
});

it('cleans up on the host when the line broke', async () => {
  const channel = await connection.shell();
  const to = join(dir, 'remote');
  channel.stdin.write(receiveScript({ to, sha256: sha256(nasty), mode: '600', nonce: 'nonce' }));
  await once(channel.stdout, 'data');
  expect(readdirSync(dir)).toEqual(['remote.nonce.part']);
  expect(statSync(`${to}.nonce.part`).mode & 0o777).toBe(0o600);
  channel.stdin.end(nasty.subarray(0, 10));
  await channel.ended;
  expect(readdirSync(dir)).toEqual([]);
});

it.each(names)('does not write through a link that somebody put in its way (%s)', async (name) => {
  const channel = await connectionOf(name).shell();
  const to = join(dir, 'remote');
  writeFileSync(join(dir, 'elsewhere'), 'untouched');
  symlinkSync(join(dir, 'elsewhere'), `${to}.nonce.part`);
  channel.stdin.end(receiveScript({ to, sha256: sha256(nasty), mode: '600', nonce: 'nonce' }));
  expect(await text(channel.stdout)).toContain('nonce failed');
  expect(readFileSync(join(dir, 'elsewhere'), 'utf8')).toBe('untouched');
});
