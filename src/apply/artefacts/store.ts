/**
 * The control machine's cache: sources that were fetched and checked, artefacts that were built. Everything in it is named by its
 * content or by the key of its inputs, so a file that is there is right.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, LvsError } from '../../errors.ts';
import type { Blob } from '../../model.ts';
import { fetchFromDebian } from './debian-source.ts';

export interface Store {
  readonly directory: string;
}

/** `$LVSCTL_CACHE`, else lvsctl's folder under `$XDG_CACHE_HOME` or ~/.cache. */
export function openStore(directory = defaultDirectory()): Store {
  for (const folder of ['blobs', 'artefacts']) mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
  return { directory };
}

function defaultDirectory(): string {
  const { LVSCTL_CACHE, XDG_CACHE_HOME } = process.env;
  return LVSCTL_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'lvsctl');
}

export function artefactPath(store: Store, key: string): string {
  return join(store.directory, 'artefacts', `${key}.tar.gz`);
}

/** Keys of the artefacts that need no build any more. */
export function heldArtefacts(store: Store): ReadonlySet<string> {
  const files = readdirSync(join(store.directory, 'artefacts'));
  return new Set(files.filter((file) => file.endsWith('.tar.gz')).map((file) => file.slice(0, -'.tar.gz'.length)));
}

/**
 * The path of a blob on this machine, fetched first if need be. A file whose SHA-256 is another is thrown away and the next source is
 * tried; when none is left the LvsError (exit 1) says what each of them gave.
 */
export async function fetchBlob(store: Store, blob: Blob): Promise<string> {
  const path = join(store.directory, 'blobs', blob.sha256);
  if (existsSync(path)) return path;
  const begun = fetching.get(path) ?? fetchTo(path, blob).finally(() => fetching.delete(path));
  fetching.set(path, begun);
  return begun;
}

/** By path: hosts that want the same file at the same time wait for the one fetch. */
const fetching = new Map<string, Promise<string>>();

async function fetchTo(path: string, blob: Blob): Promise<string> {
  const tried: string[] = [];
  for (const source of blob.from) {
    const part = `${path}.${process.pid}.part`;
    try {
      await obtain(source, blob.sha256, part);
      const sum = await sha256(part);
      if (sum === blob.sha256) {
        await rename(part, path);
        return path;
      }
      tried.push(`${source} has SHA-256 ${sum}`);
    } catch (error) {
      tried.push(`${source}: ${reason(error)}`);
    } finally {
      await rm(part, { force: true });
    }
  }
  throw new LvsError(`${blob.name} with SHA-256 ${blob.sha256} cannot be had: ${tried.join('; ')}`, {
    code: 'store.fetch',
    exitCode: EXIT.taskFailed,
    hint: `put the file at ${path}, or name it with "file:" in the inventory`,
  });
}

async function obtain(source: string, sum: string, to: string): Promise<void> {
  const [, packageName] = /^debian-source:(.+)$/.exec(source) ?? [];
  if (packageName) return fetchFromDebian(packageName, sum, to);
  if (!/^https?:/.test(source)) return copyFile(source, to);
  const response = await fetch(source, { signal: AbortSignal.timeout(300_000) });
  if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
  await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(to, { mode: 0o600 }));
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
