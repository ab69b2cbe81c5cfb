/** Files that somebody else's inventory may have named: read within bounds, never waited for. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { complaint } from './complaint.ts';

const mostBytes = 1_000_000;

interface ReadOptions {
  /** The operator has named it, not an inventory: a pipe is as good as a file. */
  readonly own?: boolean;
  /** Whoever may read it has the key: a file that others may read is refused. */
  readonly private?: boolean;
}

/** Throws LvsError (exit 4), which never repeats what stands in it. */
export function readBytes(file: string, { own, private: secret }: ReadOptions = {}): Buffer {
  const open = openFile(file, own ? 0 : constants.O_NONBLOCK);
  try {
    const status = fstatSync(open);
    const { mode, size } = status;
    const regular = status.isFile();
    if (!regular && !own) throw complaint('no-file', 'this is no plain file', file);
    if (size > mostBytes) throw complaint('too-long', `this file has ${size} bytes, and at most ${mostBytes} are read`, file);
    if (secret && regular && (mode & 0o077) !== 0) {
      const found = `others may read this file (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
      throw complaint('readable', found, file, `chmod 600 ${file}`);
    }
    return readFileSync(open);
  } catch (error) {
    throw isSystemError(error) ? complaint('unreadable', `this file cannot be read (${error.code})`, file) : error;
  } finally {
    closeSync(open);
  }
}

function openFile(file: string, flags: number): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOCTTY | flags);
  } catch (error) {
    const missing = isSystemError(error) && error.code === 'ENOENT';
    throw complaint(missing ? 'missing-file' : 'unreadable', missing ? 'there is no such file' : 'this file cannot be read', file);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** A path as an inventory says it: `~/` is the operator's home, what is relative lies beside the inventory. */
export function besideInventory(inventory: string, path: string): string {
  const expanded = expandHome(path);
  return isAbsolute(expanded) ? expanded : join(dirname(inventory), expanded);
}

export function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
