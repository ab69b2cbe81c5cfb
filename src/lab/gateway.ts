/**
 * A process of its own, inside a lab's namespace: the lab's door. It serves the apt repository to the machines over HTTP, and takes
 * connections from the control side, which stays outside, through a Unix socket that only root can open.
 *
 * A client of the socket sends `ADDRESS PORT\n`, gets `ok\n` or `error WHY\n`, and after `ok` the socket is the connection.
 * Started as `node gateway.js lvsctl-lab-gateway FOLDER`; reads FOLDER/gateway.json, listens on FOLDER/gateway.sock.
 */
import { createReadStream, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream';

const connectTimeout = 10_000;
const longestRequest = 300;

const folder = process.argv[3] ?? '';
const settings = JSON.parse(readFileSync(join(folder, 'gateway.json'), 'utf8')) as { addresses: string[]; repository: string };

for (const address of settings.addresses) {
  createHttpServer(serveFile)
    .on('error', (error) => console.error(`http ${address}: ${error.message}`))
    .listen(80, address);
}
const socketPath = join(folder, 'gateway.sock');
rmSync(socketPath, { force: true });
process.umask(0o177);
createServer({ allowHalfOpen: true }, door).listen(socketPath);

/** A machine may ask for anything: whatever is no file of the repository is not there. */
function serveFile(request: IncomingMessage, response: ServerResponse): void {
  const file = fileOf(request.url ?? '/');
  const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === undefined || !found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-length': found.size, 'last-modified': found.mtime.toUTCString() });
  if (request.method === 'HEAD') response.end();
  else pipeline(createReadStream(file), response, () => {});
}

function fileOf(url: string): string | undefined {
  try {
    const path = normalize(decodeURIComponent(url));
    return path.startsWith('/') && !path.includes('\0') ? join(settings.repository, path) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the request line, then joins the two ends. Each side's end of file is passed on by itself; an error ends both. */
function door(client: Socket): void {
  let head = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\n');
    if (end < 0 && head.length <= longestRequest) return;
    client.off('data', read);
    client.pause();
    const request = /^([0-9a-fA-F.:]+) (\d{1,5})$/.exec(head.subarray(0, Math.max(end, 0)).toString());
    const [address, port] = [request?.[1], Number(request?.[2])];
    if (address === undefined || port > 65_535) client.end('error ask for ADDRESS PORT\n');
    else joinEnds(client, address, port, head.subarray(end + 1));
  };
  client.on('data', read);
  client.on('error', () => client.destroy());
}

function joinEnds(client: Socket, host: string, port: number, first: Buffer): void {
  const target = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const giveUp = setTimeout(() => target.destroy(new Error(`no answer within ${connectTimeout / 1000} s`)), connectTimeout);
  let joined = false;
  target.on('error', (error) => {
    if (!joined) client.end(`error ${error.message.replaceAll('\n', ' ')}\n`);
  });
  target.on('close', (failed) => {
    clearTimeout(giveUp);
    if (failed && joined) client.destroy();
  });
  client.on('close', () => target.destroy());
  target.on('connect', () => {
    clearTimeout(giveUp);
    joined = true;
    client.write('ok\n');
    if (first.length > 0) target.write(first);
    client.pipe(target);
    target.pipe(client);
  });
}
