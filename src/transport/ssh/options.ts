import type { Dial } from '../transport.ts';
import type { Keepalive } from './keepalive.ts';

/** How lines are opened; what is absent comes from the user's ssh_config, then from ssh's own habits. */
export interface SshOptions {
  /** The user's ssh_config; ~/.ssh/config unless said, none when empty. */
  readonly configFile?: string;
  /** Files to read; those of the configuration or ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts, unless said. */
  readonly knownHosts?: readonly string[];
  /** The file that gets accepted keys; the first of `knownHosts` unless said. */
  readonly writeTo?: string;
  /** Take the key of a host that is not known yet, and remember it; as the configuration says unless said. */
  readonly acceptNew?: boolean;
  readonly dial?: Dial;
  /** Open at once on one connection; 4 unless said. */
  readonly maxChannels?: number;
  /** Socket of the agent; that of the configuration or SSH_AUTH_SOCK unless said, none when empty. */
  readonly agentSocket?: string;
  /** Asked at most once per encrypted key file, one at a time; absent: nobody is there to be asked. */
  readonly askPassphrase?: (file: string) => Promise<string>;
  /** For hosts that take no key; tried last, once per connection. */
  readonly loginPassword?: () => Promise<string>;
  readonly sudoPassword?: () => Promise<string>;
  /** How a dead line is noticed: seconds between questions, and how many may stay unanswered; 5 (or ServerAliveInterval) and 3 unless said. */
  readonly keepalive?: Keepalive;
}
