import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import { labLockFile } from './places.ts';
import { isAlive, processStamp } from './processes.ts';

/** Runs `work` while no other process brings the lab up or takes it down. A dead owner's lock is void. Throws LvsError (exit 6). */
export async function withLabLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const file = labLockFile(name);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await takeLock(name, file);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** A link appears whole and once: nobody can see a lock without its owner. */
async function takeLock(name: string, file: string): Promise<void> {
  const stamp = processStamp(process.pid);
  const own = `${file}.${stamp}`;
  await writeFile(own, stamp);
  try {
    for (let tries = 0; tries < 3; tries++) {
      if (await linked(own, file)) return;
      const owner = await readFile(file, 'utf8').catch(() => '');
      if (isAlive(owner)) throw locked(name, owner);
      await rm(file, { force: true });
    }
    throw locked(name, 'unknown');
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function locked(name: string, owner: string): LvsError {
  return new LvsError(`lab ${name} is being brought up or taken down by process ${owner.split('.')[0]}`, {
    code: 'lab.locked',
    exitCode: EXIT.locked,
    hint: 'wait until it has finished',
  });
}
