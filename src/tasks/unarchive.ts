import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { type Blob, type Change, defineTask, type PlanContext, sh } from '../task.ts';
import { sha256 } from './support/files/blob-file.ts';
import { blobOf, localFile } from './support/files/local-file.ts';
import { unpack } from './support/files/unpack.ts';
import { httpUrl, isHttpUrl } from './support/http-url.ts';
import { absolutePath, accountName, localPath, text } from './support/params.ts';

const params = z
  .strictObject({
    src: z
      .union([httpUrl, text.regex(/^(?!https?:)(.*\/)?(?!\.{1,2}$)[^/\n]+$/, 'the path of an archive, or a URL')])
      .describe(
        'Archive of the control machine (a path relative to the folder of the playbook, or else of the inventory) or a URL that it fetches: tar of any kind, or zip.',
      )
      .meta(localPath),
    sha256: sha256.optional().describe('SHA-256 of the archive; needed with a URL.'),
    dest: absolutePath.describe(
      'Directory that it is unpacked into; made where it is missing. What is there already and not in the archive stays.',
    ),
    creates: absolutePath.describe(
      'Path that is there once the archive is unpacked. A new archive is unpacked over the old one all the same.',
    ),
    owner: accountName.default('root').describe('User that owns all of it, by name or number; whoever packed it does not count.'),
    group: accountName.default('root').describe('Group that owns all of it, by name or number.'),
    strip_components: z.int().min(0).max(20).default(0).describe('How many folders to take off the front of every name; tar only.'),
    timeout: z.int().min(1).max(86_400).default(600).describe('Seconds after which unpacking is stopped.'),
  })
  .refine((want) => !isHttpUrl(want.src) || want.sha256 !== undefined, 'a URL needs "sha256": its content could change at any time')
  .refine((want) => want.strip_components === 0 || !isZip(want.src), '"strip_components" is for tar only');

type Want = z.infer<typeof params>;

interface Seen {
  readonly creates: boolean;
  /** Of the archive that lies unpacked there: its SHA-256, `unfinished`, or empty where lvsctl unpacked none. */
  readonly unpacked: string;
}

export default defineTask<Want, Seen>({
  summary: 'An archive, unpacked on the host. It is known which one was, so another archive of the same name is noticed.',
  params,
  touches: (want) => [`tree:${want.dest}`, `tree:${want.creates}`],
  probe: (want) => sh`[ ! -e ${want.creates} ] || printf 'creates yes\n'
[ ! -r ${stampOf(want)} ] || { read -r sum <${stampOf(want)} && printf 'unpacked %s\n' "$sum"; }`,
  parse: ({ stdout }) => ({
    creates: /^creates yes$/m.test(stdout),
    unpacked: /^unpacked ([0-9a-f]{64}|unfinished)$/m.exec(stdout)?.[1] ?? '',
  }),
  plan: (seen, want, context) => {
    const archive = blob(want, context);
    if (seen.creates && (seen.unpacked === '' || seen.unpacked === archive.sha256)) return [];
    return [change(seen, want, archive)];
  },
  settled: (want, seen) =>
    seen.unpacked === ''
      ? `${want.creates} is there, from an archive that lvsctl did not unpack`
      : `${want.src} is unpacked in ${want.dest}`,
  example: {
    src: 'https://nginx.org/download/nginx-1.26.3.tar.gz',
    sha256: '69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa',
    dest: '/usr/local/src',
    creates: '/usr/local/src/nginx-1.26.3/configure',
    owner: 'root',
    group: 'root',
    strip_components: 0,
    timeout: 600,
  },
});

/** Says which archive lies unpacked: one file for each place. */
function stampOf({ dest, creates }: Want): string {
  const place = createHash('sha256').update(`${dest}\0${creates}`).digest('hex').slice(0, 16);
  return `/var/lib/lvsctl/unarchive/${place}`;
}

function blob(want: Want, { fleet }: PlanContext): Blob {
  if (isHttpUrl(want.src)) return { sha256: want.sha256 ?? '', name: nameOf(want.src), from: [want.src] };
  const found = blobOf(localFile(want.src, fleet.file));
  // A file that is not what the playbook says is for the control machine's cache to complain about, before anything is sent.
  return want.sha256 === undefined ? found : { ...found, sha256: want.sha256 };
}

function change(seen: Seen, want: Want, archive: Blob): Change {
  const place = `in ${want.dest}\n`;
  const was = {
    '': '',
    unfinished: `an archive, not to its end, ${place}`,
    [archive.sha256]: `${archive.name} was unpacked ${place}${want.creates} is gone\n`,
  };
  return {
    id: `unpack:${want.dest}`,
    title: `unpack ${archive.name} in ${want.dest}`,
    was: was[seen.unpacked] ?? `an archive with SHA-256 ${seen.unpacked} ${place}`,
    will: `${archive.name} with SHA-256 ${archive.sha256} ${place}`,
    run: unpack({ ...want, archive, zip: isZip(want.src), stamp: stampOf(want), strip: want.strip_components }),
    timeout: want.timeout,
    blobs: [archive],
  };
}

function nameOf(src: string): string {
  return posix.basename(isHttpUrl(src) ? new URL(src).pathname : src) || 'archive';
}

function isZip(src: string): boolean {
  return /\.(zip|jar|war)$/i.test(nameOf(src));
}
