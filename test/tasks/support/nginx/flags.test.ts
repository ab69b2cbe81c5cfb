import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildPackages, configureFlag } from '../../../../src/tasks/support/nginx/flags.ts';
import { sameFlags, splitArguments } from '../../../../src/tasks/support/source/configure.ts';
import { atLeast } from '../../../../src/tasks/support/version.ts';

describe('what nginx -V prints', () => {
  test('comes apart as a shell would take it', () => {
    expect(splitArguments(`--prefix=/usr/local/nginx --with-cc-opt='-O2 -g' --with-ld-opt="-Wl,-z \\"x\\"" --a\\ b`)).toEqual([
      '--prefix=/usr/local/nginx',
      '--with-cc-opt=-O2 -g',
      '--with-ld-opt=-Wl,-z "x"',
      '--a b',
    ]);
  });

  test('gives back every flag that is accepted, quoted as configure quotes', () => {
    const flag = fc.stringMatching(/^--[a-z][a-z0-9_-]{0,9}(=[A-Za-z0-9_./:@%+,=-]{1,9}( [A-Za-z0-9_./:@%+,=-]{1,5}){0,2})?$/);
    fc.assert(
      fc.property(fc.array(flag), (flags) => {
        fc.pre(flags.every((each) => configureFlag.safeParse(each).success));
        const printed = flags.map((each) => each.replace(/(--[^=]*=)(.* .*)/, "$1'$2'")).join(' ');
        expect(splitArguments(printed)).toEqual(flags);
      }),
    );
  });

  test('is compared as a set', () => {
    expect(sameFlags(['a', 'b', 'b'], ['b', 'a'])).toBe(true);
    expect(sameFlags(['a'], ['a', 'b'])).toBe(false);
    expect(sameFlags(['a', 'c'], ['a', 'b'])).toBe(false);
  });
});

describe('packages for a build', () => {
  test('are those that the flags of S0 need', () => {
    const flags = ['--with-http_ssl_module', '--with-http_xslt_module', '--with-http_gzip_static_module', '--with-cc=gcc'];
    expect(buildPackages('1.26.3', flags, 'apt')).toEqual([
      'gcc',
      'make',
      'libc6-dev',
      'libpcre2-dev',
      'zlib1g-dev',
      'libssl-dev',
      'libxml2-dev',
      'libxslt1-dev',
    ]);
    expect(buildPackages('1.26.3', flags, 'dnf')).toEqual([
      'gcc',
      'make',
      'glibc-devel',
      'pcre2-devel',
      'zlib-devel',
      'openssl-devel',
      'libxml2-devel',
      'libxslt-devel',
    ]);
  });

  test.each([
    ['no library where nothing asks for one', '1.26.3', ['--without-http_rewrite_module', '--without-http_gzip_module'], []],
    ['the old PCRE before nginx 1.21.5', '1.20.2', [], ['libpcre3-dev', 'zlib1g-dev']],
    ['OpenSSL for mail alone', '1.26.3', ['--with-mail_ssl_module'], ['libpcre2-dev', 'zlib1g-dev', 'libssl-dev']],
    [
      'a library only where its source is not given',
      '1.26.3',
      ['--with-http_ssl_module', '--with-openssl=/src/openssl'],
      ['libpcre2-dev', 'zlib1g-dev'],
    ],
    [
      'a module built as a shared object',
      '1.26.3',
      ['--with-http_image_filter_module=dynamic'],
      ['libpcre2-dev', 'zlib1g-dev', 'libgd-dev'],
    ],
  ])('%s', (_, version, flags, expected) => {
    expect(buildPackages(version, flags, 'apt')).toEqual(['gcc', 'make', 'libc6-dev', ...expected]);
  });
});

test('versions are compared number by number', () => {
  const part = fc.nat(300);
  fc.assert(
    fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (one, other) => {
      const order = one.map((value, index) => value - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
      expect(atLeast(one.join('.'), other.join('.'))).toBe(order >= 0);
    }),
  );
  expect(atLeast('2.1', '2.1.0')).toBe(true);
  expect(atLeast('1.9.15', '1.20.2')).toBe(false);
});
