/** A folder for plaintext: in memory where this machine has a file system there, for its owner alone, and gone in the end. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PrivateFolder {
  readonly path: string;
  readonly inMemory: boolean;
  remove(): void;
}

/** Also an end of this process by its own doing takes the folder along. */
export function privateFolder(): PrivateFolder {
  const memory = ['/dev/shm', process.env.XDG_RUNTIME_DIR].filter((place) => place !== undefined && isMemory(place));
  const path = make([...memory, tmpdir()] as readonly string[]);
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true });
    process.off('exit', remove);
  };
  process.on('exit', remove);
  return { path, inMemory: memory.some((place) => path.startsWith(`${place}/`)), remove };
}

/** tmpfs and ramfs, by their numbers in statfs(2). */
function isMemory(place: string): boolean {
  try {
    return [0x01021994, 0x858458f6].includes(statfsSync(place).type >>> 0);
  } catch {
    return false;
  }
}

function make(places: readonly string[]): string {
  for (const place of places.slice(0, -1)) {
    try {
      return mkdtempSync(join(place, 'lvsctl-'));
    } catch {
      // There, and not for us to write in.
    }
  }
  return mkdtempSync(join(places.at(-1) ?? '', 'lvsctl-'));
}
