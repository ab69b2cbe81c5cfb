import { posix } from 'node:path';
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { bytesChange, bytesProbe, parseBytes, type SeenBytes, sha256 } from './support/files/blob-file.ts';
import { validateWith, validator } from './support/files/validator.ts';
import { httpUrl } from './support/http-url.ts';
import { absolutePath, accountName, fileMode } from './support/params.ts';

const params = z.strictObject({
  url: httpUrl.describe('Where it is fetched from, by the control machine: the host itself needs no way out.'),
  dest: absolutePath.describe('Absolute path of the file on the host.'),
  sha256: sha256.describe(
    'SHA-256 of the file. Another content is thrown away, and a new one at the same URL changes nothing until you say so.',
  ),
  owner: accountName.default('root').describe('User that owns the file, by name or number.'),
  group: accountName.default('root').describe('Group that owns the file, by name or number.'),
  mode: fileMode.default('0644').describe('Octal mode in quotes.'),
  make_parent: z.boolean().default(false).describe('Makes the directory that holds the file (root, 0755) where it is missing.'),
  validate: validator,
});

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenBytes>({
  summary: 'A file from the web with a known checksum: fetched once by the control machine, and sent to every host that lacks it.',
  params,
  touches: (want) => [`file:${want.dest}`],
  probe: (want) => bytesProbe(want.dest),
  parse: (output) => parseBytes(output),
  plan: (seen, want) =>
    bytesChange({
      ...want,
      seen,
      path: want.dest,
      blob: { sha256: want.sha256, name: posix.basename(want.dest), from: [want.url] },
      makeParent: want.make_parent,
      validate: validateWith(want.validate),
    }),
  settled: (want) => `${want.dest} is there with this SHA-256, ${want.owner}:${want.group} ${want.mode}`,
  example: {
    url: 'https://nginx.org/download/nginx-1.26.3.tar.gz',
    dest: '/usr/local/src/nginx-1.26.3.tar.gz',
    sha256: '69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa',
    owner: 'root',
    group: 'root',
    mode: '0644',
    make_parent: true,
  },
});
