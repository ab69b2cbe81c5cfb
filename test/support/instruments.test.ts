/** The contract's instruments against fragments that break it on purpose: each must be found out. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { quote, type Sh, sh } from '../../src/sh/sh.ts';
import { hostileText, makeHostile, token } from './hostile.ts';
import { isMutating, leaks } from './leaks.ts';
import { misplacedValues, shellcheck, syntaxErrors } from './lint-shell.ts';
import { openShadowShell } from './shadow-shell.ts';

const shadow = openShadowShell();
afterAll(() => shadow.close());

const fragment = (fragmentSh: Sh) => ({ name: 'trial', sh: fragmentSh });
const fooled = (make: (value: string) => Sh, hostile: string) => leaks(shadow, [fragment(make(hostile))], hostile);

describe('hostile values', () => {
  test('an honest fragment passes with any of them', () => {
    const honest = (value: string) =>
      sh`name=${value}; stat -c %s -- "$name"; [ -e "$name" ] || rm -f -- ${value} "$(dirname -- "$name")"; sh -c -- ${value}`;
    fc.assert(
      fc.property(hostileText, (hostile) => {
        expect(fooled(honest, hostile)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test.each<[string, (value: string) => Sh, string]>([
    ['inside double quotes', (value) => sh`stat -- "${value}"`, `$(canary)${token}`],
    ['inside single quotes', (value) => sh`stat -- '${value}'`, `;canary;${token}`],
    ['as text', (value) => ({ parts: [{ text: `stat -- ${quote(value)}` }] }), `$${token}`],
    ['through eval', (value) => sh`name=${value}; eval "stat -- $name"`, `;canary;${token}`],
    ['split into words', (value) => sh`name=${value}; stat -- $name`, `${token} b`],
    ['in a here-document', (value) => sh`stat <<E\n${value}\nE\n`, `$(canary)${token}`],
    ['in a redirection', (value) => sh`stat >$(echo ${value})`, 'canary'],
    ['as an option', (value) => sh`stat ${value}`, `-${token}`],
    ['as a format', (value) => sh`printf ${value}`, `-${token}`],
    ['in a branch that is taken on failure only', (value) => sh`stat || eval ${value}`, `canary ${token}`],
  ])('%s is found out', (_, make, hostile) => {
    expect(fooled(make, hostile)).not.toEqual([]);
  });

  test('a fragment that ends the shell is found out, and kill reaches nobody', () => {
    expect(fooled(() => sh`kill -9 $$; exec false`, token)).toEqual([]);
    expect(shadow.run([fragment(sh`command kill -9 $$`)]).ended).toBe(false);
  });

  test('they reach strings, lists, keys and paths of parameters, where the schema allows', () => {
    const schema = z.strictObject({
      free: z.string(),
      list: z.array(z.string()),
      map: z.record(z.string(), z.string()),
      path: z.string().startsWith('/'),
      strict: z.enum(['a']),
    });
    const made = makeHostile(schema, { free: 'x', list: ['y'], map: { k: 'v' }, path: '/etc/x', strict: 'a' }, `'${token}`, '/folder');
    expect(made).toEqual({
      free: `'${token}`,
      list: [`'${token}`],
      map: { k: `'${token}`, [`'${token}`]: `'${token}` },
      path: `/folder/'${token}`,
      strict: 'a',
    });
  });
});

describe('without running', () => {
  test.each<[string, Sh]>([
    ['double quotes', sh`stat "${'x'}"`],
    ['single quotes', sh`stat '${'x'}'`],
    ['a here-document', sh`stat <<E\n${'x'}\nE\n`],
    ['a comment', sh`stat # ${'x'}`],
    ['arithmetic', sh`stat $(( 1 + ${'x'} ))`],
    ['a backquote', { parts: [{ text: 'stat `stat ' }, { value: 'x' }, { text: '`' }] }],
  ])('a value inside %s is found out', (_, broken) => {
    expect(misplacedValues([fragment(broken)])).not.toEqual([]);
  });

  test('a value as a word, in a substitution, a pattern or an assignment is right', () => {
    const right = sh`name=${'x'}; case $name in ${'y'}) stat "$(stat -- ${'z'})" >${'f'} ;; esac; for each in ${['a', 'b']}; do :; done`;
    expect(misplacedValues([fragment(right)])).toEqual([]);
  });

  test('broken syntax and what only one shell knows are found out', () => {
    expect(syntaxErrors('dash', [fragment(sh`if stat; then`)])).toHaveLength(1);
    expect(shellcheck([fragment(sh`[[ -e x ]]`)])).not.toEqual([]);
    expect(shellcheck([fragment(sh`name=${'x'}; read -r name; stat $name`)])).not.toEqual([]);
  });
});

test('a call that changes a host is told from one that looks', () => {
  expect(
    [
      ['rm', '-f'],
      ['systemctl', 'start', 'x'],
      ['modprobe', 'x'],
      ['sysctl', '-w', 'a=1'],
    ].filter((call) => !isMutating(call)),
  ).toEqual([]);
  expect(
    [
      ['systemctl', 'show', '-p', 'Id'],
      ['modprobe', '-n', 'x'],
      ['sysctl', '-n', 'a'],
      ['stat', 'rm'],
    ].filter(isMutating),
  ).toEqual([]);
});
