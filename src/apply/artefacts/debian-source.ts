/**
 * A second source for upstream tarballs: Debian's source packages carry them unchanged. Whatever mirror this machine's apt uses
 * serves them too, which helps where nothing else can be reached.
 */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptSources, indexTargetsFormat } from '../../machine/apt-sources.ts';
import { privateApt } from '../../machine/private-apt.ts';
import { run } from '../../machine/run.ts';

/** Releases whose source packages are looked through. */
const releases = ['bookworm', 'trixie'] as const;

/** Puts the file with this SHA-256 out of source package `name` at `to`. Throws when no release has it, or apt is not there. */
export async function fetchFromDebian(name: string, sha256: string, to: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lvsctl-source-'));
  try {
    const apt = await privateApt(folder, await sourceEntries());
    await run('apt-get', [...apt, 'update', '-q']);
    const version = versionWith(await run('apt-cache', [...apt, 'showsrc', '--only-source', '--', name]), sha256);
    if (!version) throw new Error(`no source package ${name} of ${releases.join(' or ')} carries it`);
    // apt-get source writes to the folder it is started in.
    await run('sh', [
      '-c',
      'cd "$1" && shift && exec apt-get "$@"',
      'sh',
      folder,
      ...apt,
      'source',
      '-q',
      '--download-only',
      '--tar-only',
      '--only-source',
      '--',
      `${name}=${version}`,
    ]);
    const tarball = (await readdir(folder)).find((file) => /\.orig\.tar\.\w+$/.test(file));
    if (!tarball) throw new Error(`source package ${name} ${version} came without an upstream tarball`);
    await rename(join(folder, tarball), to).catch(async () => run('cp', ['--', join(folder, tarball), to]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The version of the source package one of whose files has this sum. `showsrc` is stanzas of `apt-cache showsrc`. */
export function versionWith(showsrc: string, sha256: string): string | undefined {
  const stanza = showsrc.split(/\n\n+/).find((text) => text.includes(` ${sha256} `));
  return stanza && /^Version: (\S+)$/m.exec(stanza)?.[1];
}

/** One-line entries of the source packages of all releases. */
async function sourceEntries(): Promise<readonly string[]> {
  const targets = await run('apt-get', ['indextargets', '--format', indexTargetsFormat]);
  return releases.flatMap((release) => aptSources(targets, release)).map((entry) => entry.replace(/^deb /, 'deb-src '));
}
