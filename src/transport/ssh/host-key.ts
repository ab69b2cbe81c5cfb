/** The decision on a host's key: what is said when it is refused, and how a new one is remembered. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, LvsError } from '../../errors.ts';
import type { Host } from '../../model.ts';
import { authorities, fingerprint, judge, type KnownHost, keyType, knownHostsLine, knownKeys, parseKnownHosts } from './known-hosts.ts';

/** ssh2's own order; its list is not exported. */
const algorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

export interface HostKeyPolicy {
  /** Files to read; those that do not exist count as empty. */
  readonly files: readonly string[];
  /** The file that gets the keys of new hosts. */
  readonly writeTo: string;
  /** Take the key of a host that is not known yet. A changed or revoked key is never taken. */
  readonly acceptNew: boolean;
  /** HostKeyAlias: the name under which the key is known, whatever the address and port. */
  readonly alias?: string;
}

/** Every usable line of the files. Throws LvsError `ssh.known-hosts` for a file that is there but cannot be read. */
export function readKnownHosts(files: readonly string[]): readonly KnownHost[] {
  return [...new Set(files)].flatMap((file) => parseKnownHosts(readText(file), file));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw fileError(`cannot read the known hosts in ${file}`, cause);
  }
}

/** Host key algorithms in the order to offer: types the host is known by come first, or a host known by ed25519 alone could show ecdsa. */
export function hostKeyOrder(entries: readonly KnownHost[], host: Host, alias?: string): (typeof algorithms)[number][] {
  const types = new Set(knownKeys(entries, ...knownAs(host, alias)).map((entry) => entry.type));
  const known = (algorithm: string): boolean => types.has(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  return [...algorithms.filter(known), ...algorithms.filter((algorithm) => !known(algorithm))];
}

function knownAs(host: Host, alias: string | undefined): readonly [address: string, port: number] {
  return alias === undefined ? [host.address, host.ssh.port] : [alias, 22];
}

/** Returns when the key may be trusted, having remembered it if it is new; otherwise throws LvsError, exit code 5. */
export function checkHostKey(host: Host, key: Buffer, entries: readonly KnownHost[], policy: HostKeyPolicy): void {
  const name = knownAs(host, policy.alias);
  const verdict = judge(entries, ...name, key);
  if (verdict.kind === 'known') return;
  if (verdict.kind === 'revoked') throw revokedKey(host, key, verdict.entry);
  if (verdict.kind === 'changed') throw changedKey(host, key, verdict.entries);
  const line = knownHostsLine(...name, key);
  const [authority] = authorities(entries, ...name);
  // Its owner relies on certificates: a key without one is not what accept-new is for.
  if (authority) throw uncertifiedKey(host, key, authority, line);
  if (!policy.acceptNew) throw unknownKey(host, key, line, policy.writeTo);
  remember(policy.writeTo, line);
}

function remember(file: string, line: string): void {
  const old = readText(file);
  if (old.split('\n').includes(line)) return;
  const gap = old === '' || old.endsWith('\n') ? '' : '\n';
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, `${gap}${line}\n`, { mode: 0o600 });
  } catch (cause) {
    throw fileError(`cannot write the new host key to ${file}`, cause);
  }
}

function fileError(message: string, cause: unknown): LvsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LvsError(`${message}: ${reason}`, { code: 'ssh.known-hosts', exitCode: EXIT.badInput, cause });
}

function shown(host: Host): string {
  return `${host.address} port ${host.ssh.port}`;
}

function unknownKey(host: Host, key: Buffer, line: string, file: string): LvsError {
  return new LvsError(`the host key of ${shown(host)} is not known: ${keyType(key)} ${fingerprint(key)}`, {
    code: 'ssh.host-key-unknown',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: `compare the fingerprint with the host's, then add this line to ${file}, or use --accept-new: ${line}`,
  });
}

function uncertifiedKey(host: Host, key: Buffer, authority: KnownHost, line: string): LvsError {
  return new LvsError(
    `the host key of ${shown(host)} is not known: ${keyType(key)} ${fingerprint(key)}; ${authority.file}:${authority.line} trusts an authority for it, and lvsctl cannot check certificates`,
    {
      code: 'ssh.host-key-unknown',
      exitCode: EXIT.unreachable,
      where: { host: host.name },
      hint: `compare the fingerprint with the host's, then add this line beside it: ${line}`,
    },
  );
}

function changedKey(host: Host, key: Buffer, old: readonly KnownHost[]): LvsError {
  const first = old[0];
  const known = old.map((entry) => `${entry.type} ${fingerprint(entry.key)} (${entry.file}:${entry.line})`).join(', ');
  return new LvsError(
    `the host key of ${shown(host)} is not the known one: it shows ${keyType(key)} ${fingerprint(key)}, known is ${known}`,
    {
      code: 'ssh.host-key-changed',
      exitCode: EXIT.unreachable,
      where: { host: host.name },
      hint: `somebody may be in between; if the host was reinstalled, remove line ${first?.line} of ${first?.file}`,
    },
  );
}

function revokedKey(host: Host, key: Buffer, entry: KnownHost): LvsError {
  return new LvsError(`the host key of ${shown(host)} is revoked by ${entry.file}:${entry.line}: ${keyType(key)} ${fingerprint(key)}`, {
    code: 'ssh.host-key-revoked',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: 'the host must show another key',
  });
}
