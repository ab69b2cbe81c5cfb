import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewaySocket, labDial } from '../../src/lab/dial.ts';
import { gatewayAnswers, gatewayScript } from '../../src/lab/gateway-process.ts';

/** The gateway needs no namespace to pass connections on; here it does so on loopback. */
const folder = mkdtempSync(join(tmpdir(), 'lvsctl-gateway-'));
const dial = labDial(folder);
let gateway: ChildProcess;
let server: Server;
let port: number;

beforeAll(async () => {
  writeFileSync(join(folder, 'gateway.json'), JSON.stringify({ addresses: [], repository: folder }));
  gateway = spawn(process.execPath, [...gatewayScript(), 'lvsctl-lab-gateway', folder], { stdio: 'inherit' });
  while (!(await gatewayAnswers(folder))) await new Promise((wake) => setTimeout(wake, 20));
  server = createServer({ allowHalfOpen: true }, reverse).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  gateway.kill();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Answers with all that it was sent, backwards: it can only do so once it has seen the end. */
function reverse(socket: Socket): void {
  let all = '';
  socket.on('data', (chunk: Buffer) => {
    all += chunk.toString('latin1');
  });
  socket.on('end', () => socket.end([...all].reverse().join('')));
}

describe('the door of a lab', () => {
  test('passes bytes both ways, and the end of each way by itself', async () => {
    const line = await dial('127.0.0.1', port);
    line.end('stressed');
    expect(await text(line)).toBe('desserts');
  });

  test('carries much at once, on many lines', async () => {
    const sent = 'ab'.repeat(50_000);
    const answers = Array.from({ length: 4 }, async () => {
      const line = await dial('127.0.0.1', port);
      line.end(sent);
      return text(line);
    });
    for (const answer of await Promise.all(answers)) expect(answer === [...sent].reverse().join('')).toBe(true);
  });

  test('what the far end says first is not lost, however late somebody listens', async () => {
    const greeter = createServer((socket) => socket.end('SSH-2.0-test\r\n')).listen(0, '127.0.0.1');
    await once(greeter, 'listening');
    const line = await dial('127.0.0.1', (greeter.address() as AddressInfo).port);
    await new Promise((wake) => setImmediate(wake));
    expect(await text(line)).toBe('SSH-2.0-test\r\n');
    greeter.close();
  });

  test('says why there is no connection, with exit code 5', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    closed.close();
    await expect(dial('127.0.0.1', free)).rejects.toMatchObject({
      code: 'lab.dial',
      exitCode: 5,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test.each(['evil.test', '127.0.0.1 22\n', '', 'x'.repeat(1000)])('takes addresses only, not %j', async (address) => {
    await expect(dial(address, 22)).rejects.toMatchObject({ code: 'lab.dial' });
  });

  test('survives a port that is none', async () => {
    await expect(dial('127.0.0.1', 65_536)).rejects.toMatchObject({ code: 'lab.dial' });
    await expect(gatewayAnswers(folder)).resolves.toBe(true);
  });

  test('is for its owner only', () => {
    expect(statSync(gatewaySocket(folder)).mode & 0o077).toBe(0);
  });
});
