/** Root directories of a Debian release with packages of its own, made once and kept with the lab's images. Needs root. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { imageCache } from '../../src/lab/places.ts';
import { aptSources, indexTargetsFormat } from '../../src/machine/apt-sources.ts';
import type { LabSettings } from '../../src/model.ts';

/** `kept`: folder for it, below what is kept. */
export function debianRoot(release: LabSettings['release'], packages: readonly string[], kept: string): string {
  const path = join(dirname(imageCache()), kept);
  if (existsSync(path)) return path;
  const building = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  const targets = execFileSync('apt-get', ['indextargets', '--format', indexTargetsFormat], { encoding: 'utf8' });
  const dump = execFileSync('apt-config', ['dump', '--no-empty', '--format', '%F "%v";%n'], { encoding: 'utf8' });
  const proxies = dump.split('\n').flatMap((line) => (/^Acquire::https?::Proxy\b/i.test(line) ? [`--aptopt=${line}`] : []));
  const options = ['--mode=root', '--variant=minbase', '--format=directory', `--include=${packages.join(',')}`, '--quiet', ...proxies];
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'mmdebstrap', ...options, release, building, ...aptSources(targets, release)];
  try {
    // Of two tests that want it, one makes it and the other waits.
    const once = '[ -e "$1" ] || { path=$1 building=$2; shift 2; unshare "$@"; mv -T "$building" "$path"; }';
    const words = [`${path}.lock`, 'sh', '-ec', once, 'sh', path, building, ...args];
    execFileSync('flock', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return path;
}
