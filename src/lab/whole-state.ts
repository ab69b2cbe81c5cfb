/** What linux.uml needs on processors that are newer than its kernel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../machine/run.ts';

/** In a lab's folder: loaded into every machine, where it is. */
export const wholeStateFile = 'whole-state.so';

/**
 * True on processors with AMX, whose state is larger than the 2696 bytes that User-Mode Linux 6.1 knows of: without help its first
 * process dies ("ptrace set fp regs failed").
 */
export function hasLargeState(cpuinfo = readFileSync('/proc/cpuinfo', 'utf8')): boolean {
  return /^flags\s*:.* amx_tile\b/m.test(cpuinfo);
}

/** Compiles the help into the lab's folder, where the processor asks for it. */
export async function makeWholeState(directory: string, signal?: AbortSignal): Promise<void> {
  if (!hasLargeState()) return;
  const source = fileURLToPath(new URL('whole-state.c', import.meta.url));
  await run('gcc', ['-O2', '-fPIC', '-shared', '-nostdlib', '-o', join(directory, wholeStateFile), source], { signal });
}
