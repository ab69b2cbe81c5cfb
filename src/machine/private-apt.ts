import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Options for apt-get and apt-cache with these sources alone: lists and caches are in `folder`, and the machine's own are left alone.
 * Whom to trust stays the machine's word. `entries` are one-line sources.
 */
export async function privateApt(folder: string, entries: readonly string[]): Promise<readonly string[]> {
  const lists = join(folder, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await writeFile(join(folder, 'sources.list'), `${entries.join('\n')}\n`);
  return [
    `Dir::Etc::SourceList=${join(folder, 'sources.list')}`,
    'Dir::Etc::SourceParts=-',
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${folder}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}
