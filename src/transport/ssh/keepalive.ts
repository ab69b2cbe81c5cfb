/**
 * Tells a line that is dead although nobody says so (a pulled cable, a firewall that has forgotten it) from one that is slow. ssh2's own
 * keepalive does not: it counts only answers to its own questions, and those stand behind all that is still on the way to the host.
 */
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';

export interface Keepalive {
  /** Seconds. */
  readonly interval: number;
  /** The line is dead after one interval more than this in which nothing at all came from the host. */
  readonly misses: number;
}

/** Until it closes, `socket` is destroyed once the host has been silent for too long. Intervals are counted, not time: a stopped laptop is no silence. */
export function keepAlive(client: Client, socket: Duplex, { interval, misses }: Keepalive): void {
  let silent = 0;
  socket.on('data', () => {
    silent = 0;
  });
  const timer = setInterval(() => {
    silent += 1;
    if (silent > misses) socket.destroy();
    else askForSign(client);
  }, interval * 1000);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}

/**
 * Has the host say something. What is asked, to end a forwarding that does not exist, is the one global request of RFC 4254 (7.1) that
 * ssh2 offers and that changes nothing.
 */
export function askForSign(client: Client): void {
  try {
    client.unforwardIn('127.0.0.1', 0, () => undefined);
  } catch {
    // The line has ended; whoever waits for it is told by its closing.
  }
}
