/** All that a connection needs to know. What the inventory says wins; its silence is filled from ssh_config. */
import { homedir, userInfo } from 'node:os';
import type { Host, SshSettings } from '../../model.ts';
import type { ConfigLine } from './config.ts';
import { type ConfigValues, configValues } from './config-values.ts';
import { expandTokens, secondsIn, type Tokens, wholeIn } from './config-words.ts';
import { type Jump, jumpsIn } from './jumps.ts';

export interface Target {
  /** With the user, port and timeout that count. */
  readonly host: Host;
  /** IdentityFile; empty: the usual files. The inventory's `host.ssh.key` outranks them. */
  readonly identityFiles: readonly string[];
  /** Of the agent's keys only those that are in the files. */
  readonly identitiesOnly: boolean;
  /** Absent: SSH_AUTH_SOCK; empty: no agent. */
  readonly agentSocket?: string;
  /** UserKnownHostsFile; absent: ~/.ssh/known_hosts. */
  readonly knownHosts?: readonly string[];
  /** The name under which the host's key is known. */
  readonly alias?: string;
  /** StrictHostKeyChecking accept-new. */
  readonly acceptNew: boolean;
  /** ServerAliveInterval, seconds. */
  readonly keepalive?: number;
  /** The hosts on the way, the nearest first. */
  readonly jumps: readonly Jump[];
  /** Sentences on what the configuration said and lvsctl did not do. */
  readonly notes: readonly string[];
}

/** A host of the inventory. Its address is the inventory's, so HostName has no say. Throws LvsError `ssh.config`. */
export function targetOf(host: Host, config: readonly ConfigLine[]): Target {
  const said = (key: keyof SshSettings): boolean => host.ssh.said?.includes(key) ?? true;
  const values = configValues(config, {
    names: [host.name, host.address],
    address: host.address,
    ...(said('user') && { user: host.ssh.user }),
  });
  const user = said('user') ? host.ssh.user : (values.first('user')?.values[0] ?? host.ssh.user);
  const { sudo, ...ssh } = host.ssh;
  const becomes = user === host.ssh.user ? sudo : user !== 'root' && (sudo ?? true);
  const settings: SshSettings = {
    ...ssh,
    user,
    port: said('port') ? ssh.port : (portIn(values) ?? ssh.port),
    timeout: said('timeout') ? ssh.timeout : (secondsIn(values.first('connecttimeout')) ?? ssh.timeout),
    ...(becomes && { sudo: true }),
  };
  return complete({ ...host, ssh: settings }, host.name, values);
}

/** A host that is only passed through: known by nothing but the word in ProxyJump, and by what the configuration says of it. */
export function hopTarget(jump: Jump, timeout: number, config: readonly ConfigLine[]): Target {
  const values = configValues(config, { names: [jump.name], ...(jump.user !== undefined && { user: jump.user }) });
  const line = values.first('hostname');
  const address = line ? expandTokens(line, line.values[0] ?? '', { h: jump.name }) : jump.name;
  const user = jump.user ?? values.first('user')?.values[0] ?? userInfo().username;
  const port = jump.port ?? portIn(values) ?? 22;
  const ssh = { user, port, timeout: secondsIn(values.first('connecttimeout')) ?? timeout };
  return complete(
    { name: jump.name, role: 'client', address, ssh, interfaces: [{ name: 'lo', addresses: [address] }], vars: {} },
    jump.name,
    values,
  );
}

function portIn(values: ConfigValues): number | undefined {
  return wholeIn(values.first('port'), 1, 65_535);
}

function complete(host: Host, name: string, values: ConfigValues): Target {
  const tokens: Tokens = { h: host.address, n: name, p: String(host.ssh.port), r: host.ssh.user, u: userInfo().username, d: homedir() };
  const paths = (line: ConfigLine | undefined): readonly string[] => line?.values.map((value) => expandTokens(line, value, tokens)) ?? [];
  const files = values.all('identityfile').flatMap(paths);
  const [agent] = paths(values.first('identityagent'));
  const known = paths(values.first('userknownhostsfile')).filter((file) => file !== 'none' && file !== '/dev/null');
  const alias = values.first('hostkeyalias')?.values[0];
  const keepalive = secondsIn(values.first('serveraliveinterval'));
  const strict = values.first('stricthostkeychecking');
  return {
    host,
    identityFiles: [...new Set(files)].filter((file) => file !== 'none'),
    identitiesOnly: values.first('identitiesonly')?.values[0]?.toLowerCase() === 'yes',
    ...(agent !== undefined && agent !== 'SSH_AUTH_SOCK' && { agentSocket: agent === 'none' ? '' : agent }),
    // A memory that forgets would make accept-new accept anybody: without a real file it is ssh's usual one.
    ...(known.length > 0 && { knownHosts: known }),
    ...(alias !== undefined && { alias }),
    acceptNew: strict?.values[0]?.toLowerCase() === 'accept-new',
    ...(keepalive !== undefined && keepalive > 0 && { keepalive }),
    jumps: jumpsIn(values.first('proxy'), tokens),
    notes: [...values.notes, ...weakened(strict)],
  };
}

/** What an ssh user may have written to be left in peace must not make us trust whoever answers. */
function weakened(strict: ConfigLine | undefined): readonly string[] {
  const word = strict?.values[0]?.toLowerCase();
  if (!strict || (word !== 'no' && word !== 'off')) return [];
  return [`${strict.file}:${strict.line}: StrictHostKeyChecking ${word} is refused: lvsctl always checks; accept-new is as far as it goes`];
}
