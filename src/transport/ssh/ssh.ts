/** The transport over SSH, by ssh2: strict about the host's key from the first byte, bounded in time, and honest when the line breaks. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Transport } from '../transport.ts';
import { createWays } from './bastions.ts';
import { readSshConfig } from './config.ts';
import { sshConnection } from './connection.ts';
import { createUnlock } from './key-files.ts';
import { openLine } from './open-line.ts';
import type { SshOptions } from './options.ts';
import { targetOf } from './target.ts';

export type { SshOptions } from './options.ts';

/** Throws LvsError `ssh.config` (exit 4) for an ssh_config that cannot be understood. */
export function sshTransport(options: SshOptions = {}): Transport {
  const config = readSshConfig(options.configFile ?? join(homedir(), '.ssh', 'config'));
  const shared = { ...options, ...(options.askPassphrase && { unlock: createUnlock(options.askPassphrase) }) };
  const wayTo = createWays(shared, config);
  const { maxChannels = 4, sudoPassword } = options;
  return {
    async connect(host) {
      const target = targetOf(host, config);
      const line = await openLine(target, wayTo(target), shared);
      return sshConnection(line, { maxChannels, sudoPassword });
    },
  };
}
