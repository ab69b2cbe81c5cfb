/** Files for the operator alone, whole or not at all. */
import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { complaint } from './complaint.ts';

/** Puts it in the place of the file that is there; where that is a link, of what it leads to. Throws LvsError (exit 4). */
export function replaceFile(file: string, content: string): void {
  const part = `${real(file)}.${process.pid}.part`;
  try {
    write(part, content);
    renameSync(part, real(file));
  } catch (error) {
    rmSync(part, { force: true });
    throw complaint('unwritable', `this file cannot be written (${reason(error)})`, file);
  }
}

/** Never touches one that is there. Throws LvsError (exit 4). */
export function createFile(file: string, content: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    write(file, content);
  } catch (error) {
    const there = reason(error) === 'EEXIST';
    throw complaint(
      there ? 'exists' : 'unwritable',
      there ? 'this file is there already, and is left as it is' : `this file cannot be written (${reason(error)})`,
      file,
    );
  }
}

function write(file: string, content: string): void {
  const open = openSync(file, 'wx', 0o600);
  try {
    // Not writeSync: where the disk is nearly full, that writes a part and says so by its number alone.
    writeFileSync(open, content);
    fsyncSync(open);
  } finally {
    closeSync(open);
  }
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
