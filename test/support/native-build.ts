/**
 * nginx of an inventory, compiled on this machine: the script that a host would run, in a Debian root of the inventory's release. A
 * compiler takes ten times as long on a machine of the lab. Needs root.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artefactPath, fetchBlob, heldArtefacts, openStore } from '../../src/apply/artefacts/store.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import type { Artefact } from '../../src/model.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { nginxArtefact } from '../../src/tasks/support/nginx/build.ts';
import { buildPackages } from '../../src/tasks/support/nginx/flags.ts';
import { debianRoot } from '../system/debian-root.ts';
import { planContext } from './plan-context.ts';

/** Unless it has been built before. */
export async function haveNginx(inventory: string): Promise<void> {
  if (!heldArtefacts(openStore()).has(artefactOf(inventory).key)) await buildNginx(inventory);
}

/** Builds it anew, and leaves it in the control machine's cache. */
export async function buildNginx(inventory: string): Promise<{ readonly key: string; readonly path: string }> {
  const artefact = artefactOf(inventory);
  const { sha256 } = sourceOf(inventory);
  const source = await fetchBlob(openStore(), { name: 'nginx', sha256, from: ['debian-source:nginx'] });
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-build-'));
  try {
    writeFileSync(join(folder, 'build'), `progress() { :; }\n${renderSh(artefact.build, String)}\n`);
    const words = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'sh', '-ec', inRoot, 'sh', buildRoot(inventory), folder];
    const { status, stdout, stderr } = spawnSync('unshare', [...words, source, sha256], { encoding: 'utf8', timeout: 900_000 });
    if (status !== 0) throw new Error(`${artefact.key} was not built:\n${stdout}${stderr}`);
    const path = artefactPath(openStore(), artefact.key);
    copyFileSync(join(folder, 'artefact'), `${path}.part`);
    chmodSync(`${path}.part`, 0o600);
    renameSync(`${path}.part`, path);
    return { key: artefact.key, path };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** With the compiler and the libraries that are asked for. */
export function buildRoot(inventory: string): string {
  const { version, configure } = sourceOf(inventory);
  return debianRoot('bookworm', buildPackages(version, configure, 'apt'), 'roots/builds-bookworm');
}

function artefactOf(inventory: string): Artefact {
  const { version, sha256, prefix, configure, user, group } = sourceOf(inventory);
  const { facts } = planContext({ facts: { distribution: 'debian', release: '12', packageManager: 'apt' } });
  return nginxArtefact({ version, sha256, sources: [], prefix, user, group, configure }, facts);
}

function sourceOf(inventory: string) {
  const { nginx } = loadInventory(inventory).fleet;
  if (!nginx?.source) throw new Error(`${inventory} builds no nginx`);
  return { ...nginx.source, user: nginx.user, group: nginx.group };
}

/** What is written goes to a memory of its own, so that the root stays as it was made. */
const inRoot = `root=$1 folder=$2 source=$3 sum=$4
mount -t tmpfs -o mode=1777 none "$root/var/tmp"
mount -t tmpfs none "$root/var/log"
mount -t tmpfs none "$root/mnt"
mount -t proc none "$root/proc"
mkdir "$root/mnt/blobs"
cp "$source" "$root/mnt/blobs/$sum"
cp "$folder/build" "$root/mnt/build"
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C LVSCTL_BLOBS=/mnt/blobs LVSCTL_ARTEFACT=/mnt/artefact sh -e /mnt/build
cp "$root/mnt/artefact" "$folder/artefact"`;
