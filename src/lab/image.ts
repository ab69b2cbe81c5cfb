import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptSources, indexTargetsFormat } from '../machine/apt-sources.ts';
import { run } from '../machine/run.ts';
import type { LabSettings } from '../model.ts';
import { buildProgress } from './build-progress.ts';
import { imagePackages, repositoryPackages } from './image-packages.ts';
import { imageScript } from './image-script.ts';
import type { Kernel } from './kernel.ts';
import { imageCache } from './places.ts';
import { isAlive, processStamp } from './processes.ts';
import type { Report } from './progress.ts';

/** A whole image: it appears in the cache by a rename, so it is never half there. */
export interface Image {
  readonly key: string;
  /** ext4 file system that the machines' copy-on-write files lie over; never written to. */
  readonly disk: string;
  /** Flat apt repository: .debs, Packages, Release. */
  readonly repository: string;
}

/** Names all that goes into an image: the same key, the same machine. */
export function imageKey(settings: LabSettings, kernel: string): string {
  const inputs = [settings.release, imagePackages(settings), repositoryPackages, imageScript, diskSize, kernel];
  return `${settings.release}-${createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)}`;
}

const diskSize = '4G';

/** The image for these settings, from the cache or built now. An interrupted build leaves nothing; builds of others are left alone. */
export async function ensureImage(settings: LabSettings, kernel: Kernel, report: Report, signal?: AbortSignal): Promise<Image> {
  const key = imageKey(settings, kernel.version);
  const folder = join(imageCache(), key);
  const image = { key, disk: join(folder, 'base.img'), repository: join(folder, 'repository') };
  await clearAbandonedBuilds();
  if (existsSync(folder)) return image;
  const temporary = join(imageCache(), `.build-${processStamp(process.pid)}-${key}`);
  try {
    await buildImage(settings, kernel, temporary, report, signal);
    // Somebody else may have built the same in the meantime: theirs is as good.
    await rename(temporary, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return image;
}

async function buildImage(settings: LabSettings, kernel: Kernel, folder: string, report: Report, signal?: AbortSignal): Promise<void> {
  const root = join(folder, 'root');
  const repository = join(folder, 'repository');
  const script = join(folder, 'finish.sh');
  await mkdir(repository, { recursive: true });
  await writeFile(script, imageScript, { mode: 0o755 });
  const targets = await run('apt-get', ['indextargets', '--format', indexTargetsFormat], { signal });
  const sources = aptSources(targets, settings.release);
  report({ stage: 'image', doing: `builds a ${settings.release} machine, once` });
  const progress = buildProgress();
  const onLine = (line: string): void => {
    const step = progress(line);
    if (step) report(step);
  };
  const packages = repositoryPackages.map((line) => line.join(' ')).join('\n');
  const env = { LVSCTL_REPOSITORY: repository, LVSCTL_PACKAGES: packages, LVSCTL_MODULES: kernel.modules };
  const args = [...(await proxyOptions(signal)), ...bootstrapOptions(settings, script), settings.release, root, ...sources];
  // A namespace of processes and mounts: whatever ends the build ends all of it, and no mount stays behind.
  await run('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'mmdebstrap', ...args], { signal, onLine, env });
  report({ stage: 'image', doing: 'writes the disk' });
  await run('mke2fs', ['-q', '-t', 'ext4', '-m', '0', '-d', root, join(folder, 'base.img'), diskSize], { signal });
  await rm(root, { recursive: true, force: true });
  await rm(script);
}

function bootstrapOptions(settings: LabSettings, script: string): readonly string[] {
  const unread = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
  return [
    ...['--mode=root', '--variant=minbase', '--format=directory', '--verbose', `--include=${imagePackages(settings).join(',')}`],
    ...unread.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    `--customize-hook=${script}`,
  ];
}

/** The machine's own proxy settings for apt, which a root of its own would not see. */
async function proxyOptions(signal?: AbortSignal): Promise<readonly string[]> {
  const dump = await run('apt-config', ['dump', '--no-empty', '--format', '%F "%v";%n'], { signal });
  return dump.split('\n').flatMap((line) => (/^Acquire::https?::Proxy\b/i.test(line) ? [`--aptopt=${line}`] : []));
}

/** Removes what killed builds left, of images and kernels: their folder names the process that built, and it is gone. */
async function clearAbandonedBuilds(): Promise<void> {
  await mkdir(imageCache(), { recursive: true });
  for (const name of await readdir(imageCache())) {
    const stamp = /^\.build-(\d+\.\d+)-/.exec(name)?.[1];
    if (stamp && !isAlive(stamp)) await rm(join(imageCache(), name), { recursive: true, force: true });
  }
}
