/** The hosts on the way to a host, as ProxyJump names them. */

import { type ConfigLine, configError } from './config.ts';
import { expandTokens, type Tokens } from './config-words.ts';

/** One word of ProxyJump: `ops@gate:2222`. */
export interface Jump {
  readonly name: string;
  readonly user?: string;
  readonly port?: number;
}

const word = /^(?:ssh:\/\/)?(?:([^@/]+)@)?(\[[0-9A-Fa-f:.]+\]|[^:@/[\]]+)(?::(\d{1,5}))?\/?$/;

/** `ssh -W %h:%p gate` is what people wrote before there was ProxyJump, and means the same. */
const oldManner = /^(?:\/usr\/bin\/)?ssh (?:-q )?(?:-W "?\[?%h\]?:%p"? (\S+)|(\S+) -W "?\[?%h\]?:%p"?)$/;

/** From the line that won, ProxyJump or ProxyCommand; the nearest host first. Throws LvsError `ssh.config`. */
export function jumpsIn(line: ConfigLine | undefined, tokens: Tokens): readonly Jump[] {
  const said = line?.values.join(' ') ?? 'none';
  if (!line || said.toLowerCase() === 'none') return [];
  if (line.keyword === 'proxyjump') return said.split(',').map((one) => toJump(line, expandTokens(line, one.trim(), tokens)));
  const [, after, before] = oldManner.exec(said) ?? [];
  const gate = after ?? before;
  if (gate !== undefined) return [toJump(line, gate)];
  throw configError(`ProxyCommand "${said}" is not run by lvsctl`, line, 'say ProxyJump HOST, or ProxyCommand none for these hosts');
}

function toJump(line: ConfigLine, text: string): Jump {
  const [, user, host, port] = word.exec(text) ?? [];
  if (host === undefined || Number(port ?? 22) > 65_535) {
    throw configError(`"${text}" is no host to jump through`, line, 'allowed: [USER@]HOST[:PORT], several with commas');
  }
  const name = host.replace(/^\[|\]$/g, '');
  return { name, ...(user !== undefined && { user }), ...(port !== undefined && { port: Number(port) }) };
}
