import { expect, test } from 'vitest';
import apacheConfig from '../../src/tasks/apache_config.ts';
import { planContext } from '../support/plan-context.ts';

const rocky = { distribution: 'rocky', release: '9.4', packageManager: 'dnf' } as const;
const site = (name: string, more: object) => ({ name, page: 'web1', ...more });

/** The files that a host without Apache gets, by path. */
function filesOf(sites: readonly object[], facts: object = {}, rest = ''): Readonly<Record<string, string>> {
  const want = apacheConfig.params.parse({ sites });
  const nothing = 'type missing\n\nend\n'.repeat(5 + sites.length);
  const seen = apacheConfig.parse({ stdout: `${nothing}${rest}`, stderr: '', exit: 0 }, want);
  const changes = apacheConfig.plan(seen, want, planContext({ facts })).filter(({ id }) => id.startsWith('content:'));
  return Object.fromEntries(changes.map(({ id, will }) => [id.replace('content:', ''), will]));
}

const listens = (text: string | undefined) => (text ?? '').split('\n').filter((line) => line.startsWith('Listen'));

test('the page that every name gets comes first, and where every site has a name others get 404', () => {
  const conf = filesOf([
    site('named', { listen: [{ port: 80 }, { port: 81 }], server_name: ['a.example', 'b.example'] }),
    site('main', { listen: [{ port: 80 }] }),
  ])['/etc/apache2/sites-available/lvsctl.conf'];
  expect(conf?.match(/<VirtualHost .*>|Server.*|Redirect.*|DocumentRoot.*/g)).toEqual([
    '<VirtualHost *:81>',
    'ServerName unknown.invalid',
    'Redirect 404 /',
    '<VirtualHost *:80>',
    'DocumentRoot /var/www/lvsctl/main',
    '<VirtualHost *:80 *:81>',
    'ServerName a.example',
    'ServerAlias b.example',
    'DocumentRoot /var/www/lvsctl/named',
  ]);
});

test('a port is listened on once: Apache would not start with an address that another socket covers', () => {
  const sites = [
    site('all', { listen: [{ port: 80 }, { address: '::', port: 80 }] }),
    site('vip', {
      listen: [
        { address: '10.18.43.30', port: 80 },
        { address: 'fd79::30', port: 8080 },
      ],
    }),
  ];
  expect(listens(filesOf(sites)['/etc/apache2/ports.conf'])).toEqual(['Listen 80', 'Listen [fd79::30]:8080']);
});

test('on the Red Hat family a port that httpd.conf has is not said again', () => {
  const sites = [site('main', { listen: [{ port: 80 }, { port: 8080 }] })];
  const path = '/etc/httpd/conf.d/lvsctl.conf';
  expect(Object.keys(filesOf(sites, rocky))).toEqual(['/var/www/lvsctl/main/index.html', path]);
  expect(listens(filesOf(sites, rocky)[path])).toEqual(['Listen 8080']);
  expect(listens(filesOf(sites, rocky, 'installed\nlisten 443 https\n')[path])).toEqual(['Listen 80', 'Listen 8080']);
  expect(listens(filesOf(sites, rocky, 'installed\nlisten [::]:8080\nlisten 0.0.0.0:80\n')[path])).toEqual([]);
});

test.each([
  ['neither page nor folder', [{ name: 'one', listen: [{ port: 80 }] }], '"page", "root" or both'],
  [
    'two sites that could not be told apart',
    [site('one', { listen: [{ port: 80 }] }), site('two', { listen: [{ address: '::', port: 80 }] })],
    'without a name',
  ],
  ['a name that would be syntax', [site('one', { listen: [{ port: 80 }], server_name: 'a\nInclude /etc/passwd' })], 'a name such as'],
])('%s is refused', (_, sites, message) => {
  expect(
    apacheConfig.params
      .safeParse({ sites })
      .error?.issues.map((issue) => issue.message)
      .join('\n'),
  ).toContain(message);
});
