/** The transport over SSH, by ssh2: strict about the host's key from the first byte, bounded in time, and honest when the line breaks. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { Host } from '../model.ts';
import { credentialsOf } from './credentials.ts';
import { dialHost } from './dial.ts';
import { logIn } from './handshake.ts';
import { checkHostKey, type HostKeyPolicy, hostKeyOrder, readKnownHosts } from './host-key.ts';
import { sshConnection } from './ssh-connection.ts';
import type { Connection, Dial, Transport } from './transport.ts';

export interface SshOptions {
  /** Files to read; ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts unless said. */
  readonly knownHosts?: readonly string[];
  /** The file that gets accepted keys; the first of `knownHosts` unless said. */
  readonly writeTo?: string;
  /** Take the key of a host that is not known yet, and remember it. */
  readonly acceptNew?: boolean;
  readonly dial?: Dial;
  /** Open at once on one connection; 4 unless said. */
  readonly maxChannels?: number;
  /** Socket of the agent; SSH_AUTH_SOCK unless said, none when empty. */
  readonly agentSocket?: string;
  readonly sudoPassword?: () => Promise<string>;
  /** How a dead line is noticed: seconds between questions, and how many may stay unanswered; 5 and 3 unless said. */
  readonly keepalive?: { readonly interval: number; readonly misses: number };
}

export function sshTransport(options: SshOptions = {}): Transport {
  const files = options.knownHosts ?? [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'];
  const writeTo = options.writeTo ?? files[0] ?? join(homedir(), '.ssh', 'known_hosts');
  const policy: HostKeyPolicy = { files: [...files, writeTo], writeTo, acceptNew: options.acceptNew ?? false };
  return { connect: (host) => connect(host, options, policy) };
}

async function connect(host: Host, options: SshOptions, policy: HostKeyPolicy): Promise<Connection> {
  const credentials = credentialsOf(host, options.agentSocket ?? process.env.SSH_AUTH_SOCK);
  const known = readKnownHosts(policy.files);
  const deadline = Date.now() + host.ssh.timeout * 1000;
  const socket = await dialHost(host, options.dial);
  const client = new ssh2.Client();
  const { interval, misses } = options.keepalive ?? { interval: 5, misses: 3 };
  const config = {
    algorithms: { serverHostKey: hostKeyOrder(known, host) },
    keepaliveInterval: interval * 1000,
    keepaliveCountMax: misses,
  };
  const checkKey = (key: Buffer): void => checkHostKey(host, key, known, policy);
  try {
    await logIn(client, socket, { host, credentials, checkKey, config, patience: Math.max(0, deadline - Date.now()) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return sshConnection({ host, client, socket }, { maxChannels: options.maxChannels ?? 4, sudoPassword: options.sudoPassword });
}
