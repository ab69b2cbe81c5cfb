/** Files of the control machine, as tasks that ship one must know them before any host is touched: by the SHA-256 of their bytes. */
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { EXIT, LvsError } from '../../../errors.ts';
import type { Blob } from '../../../task.ts';
import { inlineLimit } from '../params.ts';

export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Where it is valid text of at most 128 KiB without NUL. */
  readonly text: string | undefined;
}

/** What a plan reads of one file at most: hashing more would take every plan many seconds. */
export const localLimit = 1024 ** 3;

/** By path and what changes when a file does: a plan for many hosts reads each file once. */
const known = new Map<string, LocalFile>();

/**
 * The file that a playbook names: a path relative to the folder of the playbook, or else of the inventory. Throws LvsError `local-file.missing` or
 * `local-file.unusable` (exit 4).
 */
export function localFile(said: string, inventoryFile: string): LocalFile {
  const path = resolve(dirname(inventoryFile), said);
  const stats = look(said, path);
  const key = [path, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join('\0');
  const file = known.get(key) ?? read(said, path);
  known.set(key, file);
  return file;
}

/** The file as something that a change needs on the host. */
export function blobOf({ path, sha256 }: LocalFile): Blob {
  return { sha256, name: basename(path), from: [path] };
}

function look(said: string, path: string): BigIntStats {
  const stats = attempt(said, () => statSync(path, { bigint: true }));
  if (stats.isDirectory()) throw unusable(`${said} is a directory`, 'pack it with tar, and use the task unarchive');
  if (!stats.isFile()) throw unusable(`${said} is no regular file`, 'name a file that can be read twice');
  if (stats.size > BigInt(localLimit)) throw unusable(`${said} has more than ${localLimit / 1024 ** 3} GiB`, 'use the task download');
  return stats;
}

function read(said: string, path: string): LocalFile {
  const hash = createHash('sha256');
  const block = Buffer.alloc(1024 * 1024);
  const start: Buffer[] = [];
  let size = 0;
  const file = attempt(said, () => openSync(path, 'r'));
  try {
    for (;;) {
      const count = attempt(said, () => readSync(file, block));
      if (count === 0) break;
      hash.update(block.subarray(0, count));
      if (size <= inlineLimit) start.push(Buffer.from(block.subarray(0, count)));
      size += count;
      if (size > localLimit) throw unusable(`${said} grows while it is read`, 'wait until it is whole');
    }
  } finally {
    closeSync(file);
  }
  return { path, size, sha256: hash.digest('hex'), text: size <= inlineLimit ? textOf(Buffer.concat(start)) : undefined };
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function attempt<Value>(said: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : (cause as Error).message;
    throw new LvsError(`cannot read ${said}: ${reason}`, {
      code: 'local-file.missing',
      exitCode: EXIT.badInput,
      hint: 'a path is relative to the folder of the playbook, or else of the inventory',
      cause,
    });
  }
}

function unusable(message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'local-file.unusable', exitCode: EXIT.badInput, hint });
}
