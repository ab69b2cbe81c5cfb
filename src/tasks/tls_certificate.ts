/** One word in a playbook: a certificate and its private key on a host, self-signed or the user's own. */
import { z } from 'zod';
import { type Change, defineTask, type Handler, type PlanContext, refuse, sh } from '../task.ts';
import { writeBlob } from './support/files/blob-file.ts';
import { blobOf, localFile } from './support/files/local-file.ts';
import { attributesRun, fileChange, sameAttributes, writeFile } from './support/files/write-file.ts';
import { nginxLayout, optionalPrefix } from './support/nginx/layout.ts';
import { nginxHandlers } from './support/nginx/process.ts';
import { localPath, text } from './support/params.ts';
import {
  certificateProbe,
  makeCertificate,
  parseCertificate,
  publicKey,
  type SeenCertificate,
  serverNames,
} from './support/tls/certificate.ts';
import { readCertificate, refuseKey } from './support/tls/own-certificate.ts';
import { anyAddress, plainPath, serverName } from './support/web-sites.ts';

const own = z
  .strictObject({
    certificate: text
      .min(1)
      .describe('File of the control machine (PEM), with the certificates that lead to its authority')
      .meta(localPath),
    key: text.min(1).optional().describe('File of the control machine with the private key (PEM, without a password)').meta(localPath),
    key_text: text.min(1).optional().describe('The private key itself, a secret of the inventory, instead of a file'),
  })
  .refine(({ key, key_text }) => (key === undefined) !== (key_text === undefined), { error: 'one of "key" and "key_text"', path: ['key'] });

const params = z
  .strictObject({
    certificate: plainPath.describe('Path of the certificate on the host'),
    key: plainPath.describe('Path of its private key on the host; root alone may read it, and it never leaves the host'),
    names: z
      .array(z.union([anyAddress, serverName]))
      .min(1)
      .max(100)
      .optional()
      .describe('Names and addresses of a self-signed certificate'),
    days: z.int().min(1).max(36500).default(398).describe('Self-signed: days that it is valid'),
    renew_before: z.int().min(0).max(3650).default(30).describe('Self-signed: a deploy renews it when fewer days than these are left'),
    key_type: z.enum(['ec', 'rsa']).default('ec').describe('Self-signed: ec (P-256), or rsa (2048 bits) for old clients'),
    own: own.optional().describe('A certificate of your own, instead of a self-signed one'),
    nginx: z.strictObject({ prefix: optionalPrefix }).optional().describe('nginx that serves it: reloaded after a change'),
  })
  .refine(({ names, own }) => (names === undefined) !== (own === undefined), { error: 'one of "names" and "own"', path: ['names'] })
  .refine(({ days, renew_before }) => renew_before < days, {
    error: 'it would be renewed every time: less than "days"',
    path: ['renew_before'],
  })
  .refine(({ certificate, key }) => certificate !== key, { error: 'two files: the certificate is for everybody', path: ['key'] });

type Want = z.output<typeof params>;

const day = 86400;

export default defineTask<Want, SeenCertificate>({
  summary: 'A certificate and its private key: self-signed, made on the host and renewed before it ends, or your own.',
  params,
  touches: (want) => [`file:${want.certificate}`, `file:${want.key}`],
  needs: () => ['package:openssl'],
  probe: (want) => certificateProbe(want, want.renew_before * day),
  parse: ({ stdout }) => parseCertificate(stdout),
  plan: (seen, want, context) => {
    for (const [path, { type }] of [
      [want.certificate, seen.file],
      [want.key, seen.key],
    ] as const) {
      if (type !== 'file' && type !== 'missing')
        throw refuse(`${path} is there and is no regular file`, 'move it away, or give another path');
    }
    const work = want.own === undefined ? selfSigned(seen, want, want.names ?? []) : ownFiles(seen, want, want.own, context);
    return work.map((change) => ({ ...change, ...(want.nginx && { notify: ['nginx.reload'] }) }));
  },
  settled: (want, seen) => `${want.certificate} is valid for ${seen.names.join(', ') || 'its names'} until ${seen.until}, and has its key`,
  handlers: reloads,
  example: {
    certificate: '/etc/ssl/lvsctl/www.crt',
    key: '/etc/ssl/lvsctl/www.key',
    names: ['www.example.org', '10.18.43.30'],
    days: 398,
    renew_before: 30,
    key_type: 'ec',
  },
});

function reloads({ nginx }: Want): Readonly<Record<string, Handler>> {
  return nginx === undefined ? {} : { 'nginx.reload': nginxHandlers(nginxLayout(nginx.prefix))['nginx.reload'] };
}

function selfSigned(seen: SeenCertificate, want: Want, names: readonly string[]): readonly Change[] {
  const { certificate, key } = want;
  const wanted = serverNames(names);
  const readable = seen.until !== '';
  if (readable && !seen.selfSigned) {
    throw refuse(`${certificate} was issued by an authority`, 'give another path, or name its files under "own"');
  }
  if (readable && seen.lasts && seen.matches && wanted.join() === seen.names.join()) return attributes(seen, want);
  const list = wanted.join(', ');
  const renew = readable && wanted.join() === seen.names.join() && seen.matches;
  return [
    {
      id: `certificate:${certificate}`,
      title: renew ? `renew the certificate for ${list}` : `make a self-signed certificate for ${list}`,
      was:
        seen.file.type === 'missing'
          ? ''
          : `names: ${seen.names.join(', ')}\nends: ${seen.until || 'cannot be read'}\nkey: ${keyState(seen)}\n`,
      will: `names: ${list}\nends: in ${want.days} days\nkey: its own\n`,
      run: makeCertificate({ certificate, key, names: wanted, days: want.days, keyType: want.key_type }),
    },
  ];
}

function keyState({ matches, key }: SeenCertificate): string {
  return matches ? 'its own' : key.type === 'missing' ? 'missing' : 'another';
}

function attributes(seen: SeenCertificate, want: Want): readonly Change[] {
  const each = [
    { path: want.key, seen: seen.key, mode: '0600' },
    { path: want.certificate, seen: seen.file, mode: '0644' },
  ];
  return each
    .filter((file) => !sameAttributes(file))
    .map(({ path, seen, mode }) => ({
      id: `attributes:${path}`,
      title: `set owner and mode of ${path}`,
      was: `${seen.owner}:${seen.group} ${seen.mode}\n`,
      will: `root:root ${mode}\n`,
      run: attributesRun(path, { mode }),
    }));
}

/** The key goes first, and only if it is the new certificate's: no server is told before both are there. */
function ownFiles(seen: SeenCertificate, want: Want, said: NonNullable<Want['own']>, { fleet, same }: PlanContext): readonly Change[] {
  const local = localFile(said.certificate, fleet.file);
  const issued = readCertificate(said.certificate, local.text);
  const certificate = fileChange({
    ...{ seen: seen.file, path: want.certificate, content: local.text ?? '', mode: '0644', makeParent: true, context: { same } },
  });
  const other = certificate.some(({ id }) => id.startsWith('content:'));
  const file = said.key === undefined ? undefined : localFile(said.key, fleet.file);
  if (file && said.key) refuseKey(said.key, file.text, issued, said.certificate);
  const wrong = file ? file.sha256 !== seen.keySum : other || !seen.matches;
  const expected = issued.publicKey.export({ type: 'spki', format: 'pem' }).toString().trim();
  const put = {
    path: want.key,
    mode: '0600',
    makeParent: true,
    validate: (staged: Parameters<typeof publicKey>[0]) =>
      sh`[ "$(${publicKey(staged)})" = ${expected} ] || { echo 'the key is not the one of the certificate, or openssl is not installed' >&2; false; }`,
  };
  const key: Change = {
    id: `key:${want.key}`,
    title: `write the private key ${want.key} (root:root 0600)`,
    was: seen.key.type === 'missing' ? '' : 'another private key\n',
    will: `the private key of ${said.certificate}\n`,
    run: file ? writeBlob({ ...put, blob: blobOf(file) }) : writeFile({ ...put, content: said.key_text ?? '' }),
    ...(file && { blobs: [blobOf(file)] }),
  };
  const modes = attributes(seen, want).filter(({ id }) => id === `attributes:${want.key}`);
  return [...(wrong ? [key] : modes), ...certificate];
}
