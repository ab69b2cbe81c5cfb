/** Shells on this machine, with the rights of this process: for tests and experiments. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { EXIT, LvsError } from '../errors.ts';
import { toChannel, type Wire } from './channel.ts';
import { createGate } from './gate.ts';
import type { Channel, Transport } from './transport.ts';

const maxChannels = 4;

/** Every host is this machine; nobody becomes root, whatever the host says. */
export function localTransport(): Transport {
  return {
    async connect(host) {
      const gate = createGate(maxChannels);
      const open = new Set<Channel>();
      let channels = 0;
      return {
        host,
        get channels() {
          return channels;
        },
        async shell() {
          const place = await gate.enter();
          const channel = toChannel(localWire(place.leave));
          channels += 1;
          open.add(channel);
          void channel.ended.then(() => open.delete(channel));
          return channel;
        },
        close() {
          gate.fail(new LvsError('the connection is closed', { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host: host.name } }));
          for (const channel of open) channel.close();
        },
      };
    },
  };
}

function localWire(leave: () => void): Wire {
  const child = spawn('/bin/sh', { stdio: 'pipe' });
  const { stdin, stdout, stderr } = child;
  let hungUp = false;
  const over = once(child, 'exit').catch(() => undefined);
  child.once('close', leave).once('error', leave);
  const hangUp = (): void => {
    hungUp ||= child.exitCode === null;
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  };
  return { stdin, stdout, stderr, over, exit: () => (hungUp ? null : child.exitCode), hangUp };
}
