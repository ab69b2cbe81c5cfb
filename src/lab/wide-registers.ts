/** Processors with AMX have wider registers than the lab's kernel knows; there a small library stands between the two. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandPath } from '../machine/run.ts';
import { imageCache } from './places.ts';

const source = fileURLToPath(new URL('wide-registers.c', import.meta.url));

export function hasWideRegisters(cpuinfo = readFileSync('/proc/cpuinfo', 'utf8')): boolean {
  return /^flags\s*:.* amx_tile\b/m.test(cpuinfo);
}

/** The library's path, compiled once; undefined where the processor needs none. */
export function registerLibrary(): string | undefined {
  if (!hasWideRegisters()) return undefined;
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(imageCache(), `wide-registers-${hash}.so`);
  if (existsSync(library)) return library;
  mkdirSync(imageCache(), { recursive: true });
  const temporary = `${library}.${process.pid}`;
  const env = { PATH: commandPath(), LC_ALL: 'C' };
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-nostdlib', '-o', temporary, source], { stdio: ['ignore', 'ignore', 'pipe'], env });
  renameSync(temporary, library);
  return library;
}
