/**
 * The kernel that the lab's machines run: User-Mode Linux as Debian 13 builds it, whatever release this machine and the lab's are. It
 * starts a process in two thirds of the time that Debian 12's takes, and a lab does little else (docs/lab.md).
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import { aptSources, indexTargetsFormat } from '../machine/apt-sources.ts';
import { privateApt } from '../machine/private-apt.ts';
import { interrupted, run } from '../machine/run.ts';
import { imageCache } from './places.ts';
import { processStamp } from './processes.ts';
import type { Report } from './progress.ts';

export interface Kernel {
  readonly version: string;
  /** Path of the program that is the kernel. */
  readonly program: string;
  /** Folder of its modules, which machines have in /usr/lib/modules. */
  readonly modules: string;
}

const release = 'trixie';
/** The program needs the C library of its own release, which stands beside it. */
const libraries = ['libc.so.6', 'ld-linux-x86-64.so.2'];

/** The kernel, from the cache or fetched now, signed by Debian as apt of this machine trusts it. Throws LvsError (exit 4). */
export async function ensureKernel(report: Report, signal?: AbortSignal): Promise<Kernel> {
  const folder = join(imageCache(), `kernel-${release}`);
  if (!existsSync(folder)) await fetchKernel(folder, report, signal);
  const [version] = await readdir(join(folder, 'modules'));
  if (version === undefined) throw noKernel(`${folder} has no modules`);
  return { version, program: join(folder, 'linux.uml'), modules: join(folder, 'modules', version) };
}

async function fetchKernel(folder: string, report: Report, signal?: AbortSignal): Promise<void> {
  report({ stage: 'image', doing: `fetches the kernel of ${release}, once` });
  const temporary = join(imageCache(), `.build-${processStamp(process.pid)}-kernel`);
  try {
    const packages = join(temporary, 'packages');
    const whole = join(temporary, 'whole');
    await mkdir(whole, { recursive: true });
    await download(packages, signal);
    const unpacked = join(temporary, 'unpacked');
    for (const file of await readdir(packages)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(packages, file), unpacked], { signal });
    }
    for (const library of libraries) await copyFile(join(unpacked, 'usr/lib/x86_64-linux-gnu', library), join(whole, library));
    await rename(join(unpacked, 'usr/lib/uml/modules'), join(whole, 'modules'));
    const program = join(whole, 'linux.uml');
    await copyFile(join(unpacked, 'usr/bin/linux.uml'), program);
    await run('patchelf', ['--set-interpreter', join(folder, 'ld-linux-x86-64.so.2'), '--set-rpath', folder, program], { signal });
    // Somebody else may have fetched the same in the meantime: theirs is as good.
    await rename(whole, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function download(folder: string, signal?: AbortSignal): Promise<void> {
  const targets = await run('apt-get', ['indextargets', '--format', indexTargetsFormat], { signal });
  const apt = await privateApt(folder, aptSources(targets, release));
  try {
    await run('apt-get', [...apt, '-q', 'update', '--error-on=any'], { signal });
    // apt-get download writes to the folder it is started in.
    const inFolder = 'cd "$1" && shift && exec apt-get "$@"';
    await run('sh', ['-c', inFolder, 'sh', folder, ...apt, '-q', 'download', 'user-mode-linux', 'libc6'], { signal });
  } catch (error) {
    if (signal?.aborted) throw interrupted();
    throw noKernel((error as Error).message);
  }
}

function noKernel(why: string): LvsError {
  return new LvsError(`the lab's kernel (user-mode-linux of Debian ${release}) cannot be had: ${why}`, {
    code: 'lab.kernel',
    exitCode: EXIT.badInput,
    hint: `the mirror that apt of this machine uses must carry ${release}, and debian-archive-keyring must be current`,
  });
}
