/**
 * Reads known_hosts as OpenSSH does (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT") and judges a key by it. Pure: text in, verdict out.
 * Lines that OpenSSH could not use (unknown marker, broken key) are passed over, as it does.
 */
import { createHash, createHmac } from 'node:crypto';

/** One usable line. `names` is the host field as written: patterns, or one hash. */
export interface KnownHost {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly names: string;
  readonly type: string;
  /** The key in SSH wire format. */
  readonly key: Buffer;
}

/**
 * `changed`: the host is known, but not by this key; `entries` are the keys it is known by, of the same type first. A key of a type
 * never seen on a known host counts as changed too: who cannot forge the old key would offer another type.
 */
export type Verdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  | { readonly kind: 'changed'; readonly entries: readonly KnownHost[] };

/** The usable lines of one file, in order. `file` only names it. */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, file, index + 1) ?? []);
}

const linePattern = /^[ \t]*(?:(@[^ \t]*)[ \t]+)?([^ \t#@][^ \t]*)[ \t]+([^ \t]+)[ \t]+([A-Za-z0-9+/]+=*)(?:[ \t\r]|$)/;
const markers: Readonly<Record<string, KnownHost['marker']>> = { '': 'none', '@revoked': 'revoked', '@cert-authority': 'cert-authority' };

function parseLine(text: string, file: string, line: number): KnownHost | undefined {
  const [, mark = '', names = '', type = '', base64 = ''] = linePattern.exec(text) ?? [];
  const marker = markers[mark];
  const key = Buffer.from(base64, 'base64');
  if (marker === undefined || names === '' || keyType(key) !== type) return undefined;
  return { file, line, marker, names, type, key };
}

/** The type that a key in wire format says it has: `ssh-ed25519`; empty when it is no key. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length <= 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : '';
}

/** What `ssh-keygen -l` prints: `SHA256:` and unpadded base64. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The name a host has in known_hosts: the port is said unless it is 22. */
export function knownName(address: string, port: number): string {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The line that makes a host known, as ssh-keyscan prints it, without newline. */
export function knownHostsLine(address: string, port: number, key: Buffer): string {
  return `${knownName(address, port)} ${keyType(key)} ${key.toString('base64')}`;
}

/** True when a host field (`*.example,!bad.example`, or `|1|salt|hash`) means the host called `name` by `knownName`. */
export function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashMatches(names, name);
  const patterns = names.toLowerCase().split(',');
  const hit = (pattern: string): boolean => globPattern(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && hit(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && hit(pattern));
}

function hashMatches(names: string, name: string): boolean {
  const [, salt = '', hash = ''] = /^\|1\|([^|]+)\|([^|]+)$/.exec(names) ?? [];
  if (salt === '') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** `*` and `?` as ssh reads them; the whole text must match. */
export function globPattern(pattern: string): RegExp {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replaceAll('?', '.')}$`, 's');
}

/** The plain keys by which a host is known. A host on another port than 22 is also known by a line without port, as for OpenSSH. */
export function knownKeys(entries: readonly KnownHost[], address: string, port: number): readonly KnownHost[] {
  const plain = entries.filter((entry) => entry.marker === 'none');
  const own = plain.filter((entry) => namesMatch(entry.names, knownName(address, port)));
  return own.length > 0 ? own : plain.filter((entry) => namesMatch(entry.names, knownName(address, 22)));
}

/** Judges the key that a host presents. Revoked beats known. A line without port can only vouch for another port, never accuse. */
export function judge(entries: readonly KnownHost[], address: string, port: number, key: Buffer): Verdict {
  const names = [knownName(address, port), knownName(address, 22)];
  const revoked = entries.find(
    (entry) => entry.marker === 'revoked' && entry.key.equals(key) && names.some((name) => namesMatch(entry.names, name)),
  );
  if (revoked) return { kind: 'revoked', entry: revoked };
  const keys = knownKeys(entries, address, port);
  if (keys.some((entry) => entry.key.equals(key))) return { kind: 'known' };
  const others = keys.filter((entry) => namesMatch(entry.names, knownName(address, port)));
  if (others.length === 0) return { kind: 'unknown' };
  const sameType = (entry: KnownHost): boolean => entry.type === keyType(key);
  return { kind: 'changed', entries: [...others.filter(sameType), ...others.filter((entry) => !sameType(entry))] };
}

/** The lines by which a certificate of an authority would vouch for the host. */
export function authorities(entries: readonly KnownHost[], address: string, port: number): readonly KnownHost[] {
  const names = [knownName(address, port), knownName(address, 22)];
  return entries.filter((entry) => entry.marker === 'cert-authority' && names.some((name) => namesMatch(entry.names, name)));
}
