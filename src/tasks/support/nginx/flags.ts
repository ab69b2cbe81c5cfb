/** The words of nginx's `configure`: which are allowed, and what they need. */
import { z } from 'zod';
import { atLeast } from '../version.ts';

/** nginx's configure evaluates its arguments in a shell of its own, so quotes, `$` and the like could not stay plain text there. */
export const configureFlag = z
  .string()
  .max(2000)
  .regex(
    /^--[a-z][a-z0-9_-]*(=[A-Za-z0-9_./:@%+,=-]+( [A-Za-z0-9_./:@%+,=-]+)*)?$/,
    "a word of nginx's configure, such as --with-http_ssl_module or --with-cc-opt=-O3, without quotes, $ and other signs of a shell",
  )
  .refine((flag) => !/^--(prefix|user|group|sbin-path|conf-path|builddir|help)(=|$)/.test(flag), {
    error: 'prefix, user and group are parameters of their own; the binary and the configuration lie below the prefix',
  });

/** Debian's packages and those of the Red Hat family, by what asks for them. */
const libraries = {
  base: { apt: ['gcc', 'make', 'libc6-dev'], dnf: ['gcc', 'make', 'glibc-devel'] },
  pcre: { apt: ['libpcre2-dev'], dnf: ['pcre2-devel'] },
  oldPcre: { apt: ['libpcre3-dev'], dnf: ['pcre-devel'] },
  zlib: { apt: ['zlib1g-dev'], dnf: ['zlib-devel'] },
  openssl: { apt: ['libssl-dev'], dnf: ['openssl-devel'] },
  xslt: { apt: ['libxml2-dev', 'libxslt1-dev'], dnf: ['libxml2-devel', 'libxslt-devel'] },
  gd: { apt: ['libgd-dev'], dnf: ['gd-devel'] },
  geoip: { apt: ['libgeoip-dev'], dnf: ['GeoIP-devel'] },
  perl: { apt: ['libperl-dev'], dnf: ['perl-devel', 'perl-ExtUtils-Embed'] },
} as const;

/** What must be installed to compile `version` with `flags`; only what the flags ask for. */
export function buildPackages(version: string, flags: readonly string[], manager: 'apt' | 'dnf'): readonly string[] {
  const has = (...patterns: readonly RegExp[]): boolean => flags.some((flag) => patterns.some((pattern) => pattern.test(flag)));
  const wanted: readonly (keyof typeof libraries | false)[] = [
    'base',
    // PCRE2 is known from 1.21.5 on.
    !has(/^--without-(http_rewrite_module|pcre)$/, /^--with-pcre=/) && (atLeast(version, '1.21.5') ? 'pcre' : 'oldPcre'),
    (!has(/^--without-http_gzip_module$/) || has(/^--with-http_gunzip_module$/)) && !has(/^--with-zlib=/) && 'zlib',
    has(/^--with-(http|mail|stream)_ssl_module$/, /^--with-http_v3_module$/) && !has(/^--with-openssl=/) && 'openssl',
    has(/^--with-http_xslt_module(=|$)/) && 'xslt',
    has(/^--with-http_image_filter_module(=|$)/) && 'gd',
    has(/^--with-(http|stream)_geoip_module(=|$)/) && 'geoip',
    has(/^--with-http_perl_module(=|$)/) && 'perl',
  ];
  return wanted.flatMap((library) => (library === false ? [] : libraries[library][manager]));
}
