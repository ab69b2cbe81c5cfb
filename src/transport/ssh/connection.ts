/** A connection that stands: opens root shells on it, a few at a time. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { EXIT, LvsError } from '../../errors.ts';
import type { Host } from '../../model.ts';
import { readerCommand } from '../../sh/reader.ts';
import { toChannel } from '../channel.ts';
import { createGate, type Place } from '../gate.ts';
import { becomeRoot, sudoMarks } from '../sudo.ts';
import type { Channel, Connection } from '../transport.ts';
import { type Carrier, exec, isOpenFailure, sshWire } from './channel.ts';

/** A logged-in connection and the stream below it. */
export interface Line extends Carrier {
  readonly host: Host;
}

interface ShellOptions {
  readonly maxChannels: number;
  readonly sudoPassword: (() => Promise<string>) | undefined;
}

export function sshConnection(line: Line, options: ShellOptions): Connection {
  const { host, client, socket } = line;
  const gate = createGate(options.maxChannels);
  let channels = 0;
  let ended = false;
  client.once('close', () => {
    ended = true;
    gate.fail(lost(host));
  });
  return {
    host,
    get channels() {
      return channels;
    },
    async shell() {
      const place = await gate.enter();
      const marks = host.ssh.sudo ? sudoMarks() : undefined;
      const raw = await openChannel(line, place, host.ssh.reader ? readerCommand : (marks?.command ?? '/bin/sh')).catch(async (error) => {
        place.leave();
        // A line that breaks under a new channel looks as if the host refused it.
        await pause(0);
        throw ended || socket.destroyed ? lost(host) : error;
      });
      channels += 1;
      raw.once('close', place.leave);
      const wire = sshWire(raw, line);
      if (!marks) return toChannel(wire);
      const { filters, ready } = becomeRoot(wire, host, marks, { password: options.sudoPassword, timeout: host.ssh.timeout });
      return whenReady(toChannel(wire, filters), ready);
    },
    lost: () => ended,
    close: () => hangUp(line),
  };
}

async function whenReady(channel: Channel, ready: Promise<void>): Promise<Channel> {
  try {
    await ready;
    return channel;
  } catch (error) {
    channel.close();
    throw error;
  }
}

/**
 * A refused channel is asked for again after a moment: sshd counts one of ours that has just closed until it has cleaned up. When that
 * does not help the host allows fewer than we hoped (MaxSessions), and we wait until another of ours has closed.
 */
async function openChannel(line: Line, place: Place, command: string): Promise<ClientChannel> {
  let patience = Date.now() + line.host.ssh.timeout * 1000;
  for (let attempt = 1; ; attempt++) {
    try {
      return await exec(line.client, command);
    } catch (error) {
      if (!isOpenFailure(error)) throw channelError(line.host, error);
      if (attempt > 4 && !place.alone()) {
        await place.stepBack();
        attempt = 0;
        patience = Date.now() + line.host.ssh.timeout * 1000;
      } else if (Date.now() < patience) await pause(Math.min(500, 10 * 2 ** attempt));
      else throw channelError(line.host, error);
    }
  }
}

function channelError(host: Host, cause: unknown): LvsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/^(No response from server|Not connected)$/.test(reason)) return lost(host);
  return new LvsError(`the host opens no shell: ${reason.replace('(SSH) ', '')}`, {
    code: 'ssh.channel',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: 'its sshd limits sessions (MaxSessions) or commands (ForceCommand)',
    cause,
  });
}

function lost(host: Host): LvsError {
  return new LvsError('the connection is closed', { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host: host.name } });
}

/** Says goodbye without waiting for an answer: a line that is dead must not keep the program alive. */
export function hangUp({ client, socket }: Line): void {
  client.end();
  const destroy = (): void => {
    socket.destroy();
  };
  if (socket.writableFinished) destroy();
  else socket.once('finish', destroy);
  if ('unref' in socket && typeof socket.unref === 'function') socket.unref();
}
