/** What is installed, as the user types it: the web server of the backends, and programs of the directors built from source. */
import { z } from 'zod';
import { either, line, oneOf, text, whole } from './fields.ts';
import { hostName } from './host.ts';

const account = text(
  /^[a-z_][a-z0-9_-]{0,31}$/,
  'an account name of at most 32 small letters, digits, "_" and "-" that starts with a letter or "_"',
);

const tarball = {
  sha256: text(/^[0-9a-fA-F]{64}$/, 'the 64 hexadecimal digits that sha256sum prints').describe('SHA-256 of the tarball'),
  url: text(/^https?:\/\/[A-Za-z0-9[][^\s\p{C}"'\\]*$/u, 'an http or https URL')
    .optional()
    .describe("Where the tarball is fetched from; unless said, the program's own site"),
  file: line('the path of a tarball').optional().describe('Instead of url: a tarball in the folder of the inventory, relative to it'),
  configure: z
    .array(text(/^--[a-z][^\p{C}\p{Zl}\p{Zp}]*$/u, 'a flag of ./configure, which starts with --'))
    .default([])
    .describe('Flags of ./configure, without --prefix'),
};

const prefix = text(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._+-]+)+$/, 'an absolute path of letters, digits, ".", "_", "+" and "-"');

const source = z.strictObject({
  version: text(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'three numbers such as 1.26.3').describe('Version of nginx, 1.20.2 or newer'),
  ...tarball,
  prefix: prefix.default('/usr/local/nginx').describe('Where it is installed'),
});

/** A program of the directors, built from its source. */
export const programSource = z.strictObject({
  version: text(/^\d{1,3}(?:\.\d{1,3}){1,2}$/, 'two or three numbers such as 2.2.7').describe('Version'),
  ...tarball,
  prefix: prefix.optional().describe('Where it is installed; /usr/local/NAME unless said'),
});

const listener = z.strictObject({
  port: whole(1, 65_535).describe('Port'),
  protocol: oneOf(['tcp', 'udp']).default('tcp').describe('udp: each packet is answered with the name of the host (needs --with-stream)'),
  tls: z.boolean({ error: 'true or false' }).optional().describe('TLS; on port 443 unless said otherwise'),
});

const namedSite = z.strictObject({
  server_name: text(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a host name').describe('Host header of this site'),
  path: text(/^\/[A-Za-z0-9._~/-]*$/, 'a path that starts with "/"')
    .default('/')
    .describe('Path of its page'),
  body: line('the text of the page').describe('Its page'),
});

const listeners = z
  .array(either([whole(1, 65_535), listener], 'a port, or { port, protocol, tls }'))
  .min(1, { error: 'at least one port' })
  .optional()
  .describe('Ports that it listens on, as numbers or { port, protocol, tls }; unless said, those of the services');

export const nginx = z.strictObject({
  source: source.optional().describe("Build nginx from its source; unless said, the distribution's package"),
  build: z
    .strictObject({ on: hostName.default('first').describe('first, each, or the name of a backend') })
    .default({ on: 'first' })
    .describe('Where it is compiled; the result is shipped to the other backends'),
  user: account.default('nginx').describe('Account of the workers'),
  group: account.default('nginx').describe('Group of the workers'),
  port: whole(1, 65_535).optional().describe('Port that nginx listens on; unless said, those of the services'),
  listen: listeners,
  sites: z.array(namedSite).default([]).describe('Sites told apart by their names, beside the page that every name gets'),
  certificate: z
    .strictObject({ certificate: prefix.describe('Path of the certificate on the backends'), key: prefix.describe('Path of its key') })
    .optional()
    .describe('For TLS; unless said, a self-signed one'),
  nofile: whole(1024, 1_048_576).default(65_535).describe('Open files per worker'),
});

export const apache = z.strictObject({ listen: listeners });
