/** The web server of the backends, as the user types it. */
import { z } from 'zod';
import { line, text, whole } from './fields.ts';
import { hostName } from './host-schema.ts';

const account = text(
  /^[a-z_][a-z0-9_-]{0,31}$/,
  'an account name of at most 32 small letters, digits, "_" and "-" that starts with a letter or "_"',
);

const source = z.strictObject({
  version: text(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'three numbers such as 1.26.3').describe('Version of nginx, 1.20.2 or newer'),
  sha256: text(/^[0-9a-fA-F]{64}$/, 'the 64 hexadecimal digits that sha256sum prints').describe('SHA-256 of the tarball'),
  url: text(/^https?:\/\/[A-Za-z0-9[][^\s\p{C}"'\\]*$/u, 'an http or https URL')
    .optional()
    .describe("Where the tarball is fetched from; unless said, nginx's own site"),
  file: line('the path of a tarball').optional().describe('Instead of url: a tarball on this machine, relative to the inventory'),
  configure: z
    .array(text(/^--[a-z][^\p{C}\p{Zl}\p{Zp}]*$/u, 'a flag of ./configure, which starts with --'))
    .default([])
    .describe('Flags of ./configure, without --prefix'),
  prefix: text(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._+-]+)+$/, 'an absolute path of letters, digits, ".", "_", "+" and "-"')
    .default('/usr/local/nginx')
    .describe('Where it is installed'),
});

export const nginx = z.strictObject({
  source: source.optional().describe('Build nginx from its source'),
  build: z
    .strictObject({ on: hostName.default('first').describe('first, each, or the name of a backend') })
    .default({ on: 'first' })
    .describe('Where it is compiled; the result is shipped to the other backends'),
  user: account.default('nginx').describe('Account of the workers'),
  group: account.default('nginx').describe('Group of the workers'),
  port: whole(1, 65_535).optional().describe('Port that nginx listens on; unless said, that of the first service'),
  nofile: whole(1024, 1_048_576).default(65_535).describe('Open files per worker'),
});
