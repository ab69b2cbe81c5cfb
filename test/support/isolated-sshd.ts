/**
 * A real sshd in a mount namespace in which some folders are its own, behind a proxy that can cut: what runs over it leaves nothing on this
 * machine. Needs root.
 */
import type { Host } from '../../src/model.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { type CuttingProxy, startProxy } from './proxy.ts';
import { type Sshd, sshdHost, startSshd, writeKnownHosts } from './sshd.ts';

export interface IsolatedSshd {
  readonly sshd: Sshd;
  readonly proxy: CuttingProxy;
  /** Through the proxy; notices after 3 s that the line is silent. */
  readonly transport: Transport;
  readonly host: Host;
  stop(): Promise<void>;
}

/** Words before sshd's own that give it the folders, empty and in memory. */
export function withOwn(folders: readonly string[]): readonly string[] {
  const mounts = folders.map((folder) => `mkdir -p ${folder} && mount -t tmpfs -o size=16m none ${folder}`).join(' && ');
  return ['unshare', '--mount', 'sh', '-c', `${mounts} || exit 70\nexec "$@"`, 'sh'];
}

export async function startIsolatedSshd(folders: readonly string[]): Promise<IsolatedSshd> {
  const sshd = await startSshd({ startedBy: () => withOwn(folders) });
  const proxy = await startProxy(sshd.port);
  const knownHosts = [writeKnownHosts(sshd, sshd.knownHostsLine.replace(`:${sshd.port} `, `:${proxy.port} `))];
  return {
    sshd,
    proxy,
    transport: sshTransport({ knownHosts, agentSocket: '', keepalive: { interval: 1, misses: 2 } }),
    host: sshdHost(sshd, { port: proxy.port }),
    stop: async () => {
      await proxy.stop();
      await sshd.stop();
    },
  };
}
