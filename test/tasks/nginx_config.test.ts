import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import nginxConfig from '../../src/tasks/nginx_config.ts';
import { planContext } from '../support/plan-context.ts';

const example = nginxConfig.example;
const golden = JSON.parse(readFileSync(new URL('../golden/tasks/nginx_config/running.json', import.meta.url), 'utf8'));
const recorded = `${golden.output.stdout.join('\n')}\n`;

function plan(params: object, stdout = recorded) {
  const want = nginxConfig.params.parse({ ...example, ...params });
  return nginxConfig.plan(nginxConfig.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext());
}

test('what most people leave out has a default', () => {
  const { listen, workers, connections: _, keepalive, ...needed } = example;
  expect(nginxConfig.params.parse(needed)).toEqual({ ...needed, listen, workers, keepalive });
  expect(plan({ connections: undefined })).toEqual([]);
  expect(plan({ connections: undefined, nofile: 512 })[0]?.will).toContain('worker_connections 512;');
});

test('every parameter of the configuration reaches nginx.conf, and nginx is told', () => {
  const [change, ...others] = plan({
    user: 'www',
    group: 'www',
    port: 8080,
    listen: ['10.18.43.13', '10.18.43.30'],
    nofile: 2048,
    workers: 3,
    connections: 99,
    keepalive: 0,
  });
  expect(others).toEqual([]);
  expect(change?.notify).toEqual(['nginx.reload']);
  for (const line of [
    'user www www;',
    'worker_processes 3;',
    'worker_rlimit_nofile 2048;',
    '    worker_connections 99;',
    '    keepalive_timeout 0;',
    '        listen 10.18.43.13:8080;',
    '        listen 10.18.43.30:8080;',
  ]) {
    expect(change?.will.split('\n')).toContain(line);
  }
});

test('the page is the marker and a newline, whatever it is, and nothing is reloaded for it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (marker) => {
      fc.pre(nginxConfig.params.safeParse({ ...example, marker }).success && marker !== 'web1');
      expect(plan({ marker }).map(({ id, will, notify }) => ({ id, will, notify }))).toEqual([
        { id: 'content:/usr/local/nginx/html/index.html', will: `${marker}\n`, notify: undefined },
      ]);
    }),
  );
});

test('a configuration that has to be written is not reloaded twice', () => {
  const pending = recorded.replace('config loaded', 'config pending');
  expect(plan({}, pending).map(({ id }) => id)).toEqual(['live:reload']);
  expect(plan({ keepalive: 5 }, pending).map(({ id }) => id)).toEqual(['content:/usr/local/nginx/conf/nginx.conf']);
});

test.each([
  ['more connections than files', { nofile: 512, connections: 513 }, 'raise nofile or lower connections'],
  ['a prefix that nginx.conf could not carry', { prefix: '/opt/my nginx;' }, 'a path of letters'],
  ['a prefix that is a folder of the system', { prefix: '/usr' }, 'a folder of its own'],
  ['a user that would be syntax', { user: 'www; daemon off' }, 'a name of small letters'],
  ['no address', { listen: [] }, '>=1'],
  ['a name for an address', { listen: ['web1'] }, 'an IPv4 or IPv6 address'],
])('%s is refused', (_, difference, message) => {
  expect(JSON.stringify(nginxConfig.params.safeParse({ ...example, ...difference }).error?.issues)).toContain(message);
});

const tls = { certificate: '/etc/ssl/www.crt', key: '/etc/ssl/www.key' };
const page = 'web1';

/** nginx.conf for these sites, with the package's nginx unless `more` says otherwise. */
function confOf(sites: readonly object[], more: object = {}, facts: object = {}): string {
  const want = nginxConfig.params.parse({ sites, ...more });
  const changes = nginxConfig.plan(nginxConfig.parse({ stdout: '', stderr: '', exit: 0 }, want), want, planContext({ facts }));
  return changes[0]?.will ?? '';
}

/** The `server` blocks of http, each as its lines. */
function serversIn(conf: string): readonly (readonly string[])[] {
  return [...conf.matchAll(/^ {4}server \{\n([\s\S]*?)^ {4}\}/gm)].map(([, body = '']) =>
    body.split('\n').flatMap((line) => line.trim() || []),
  );
}

test('a site that is gone is answered for by no other: a name that nobody has gets 404', () => {
  const conf = confOf([
    { name: 'one', listen: [{ port: 80 }], server_name: 'one.example.org', page },
    { name: 'two', listen: [{ port: 80 }, { port: 81 }], server_name: 'two.example.org', page },
    { name: 'all', listen: [{ port: 81 }], page },
  ]);
  expect(serversIn(conf).map(([listen, ...rest]) => [listen, rest.find((line) => /^(return|root)/.test(line))])).toEqual([
    ['listen 0.0.0.0:80 default_server;', 'return 404;'],
    ['listen 0.0.0.0:80;', 'root /var/www/lvsctl/one;'],
    ['listen 0.0.0.0:80;', 'root /var/www/lvsctl/two;'],
    ['listen 0.0.0.0:81 default_server;', 'root /var/www/lvsctl/all;'],
  ]);
});

test('a site has a server for each of its certificates', () => {
  const other = { certificate: '/etc/ssl/other.crt', key: '/etc/ssl/other.key' };
  const conf = confOf([
    { name: 'one', listen: [{ port: 80 }, { port: 443, tls }, { address: '::', port: 443, tls }, { port: 8443, tls: other }], page },
  ]);
  expect(serversIn(conf).map((lines) => lines.filter((line) => /^(listen|ssl_certificate) /.test(line)))).toEqual([
    ['listen 0.0.0.0:80 default_server;'],
    ['listen 0.0.0.0:443 default_server ssl;', 'listen [::]:443 default_server ssl;', 'ssl_certificate /etc/ssl/www.crt;'],
    ['listen 0.0.0.0:8443 default_server ssl;', 'ssl_certificate /etc/ssl/other.crt;'],
  ]);
});

test('datagrams are answered with the page, whatever quotes are in it', () => {
  const conf = confOf([
    {
      name: 'echo',
      listen: [
        { port: 53, protocol: 'udp' },
        { address: '::', port: 53, protocol: 'udp' },
      ],
      page: 'a"; daemon off; \\',
    },
  ]);
  expect(conf).toContain('        listen 0.0.0.0:53 udp;\n        listen [::]:53 udp;\n        return "a\\"; daemon off; \\\\\n";\n');
  expect(serversIn(conf)).toHaveLength(1);
});

test('the nginx of a package runs as its own user, and reads conf.d and its modules', () => {
  const conf = confOf([]);
  expect(conf).toContain('user www-data www-data;');
  expect(conf).toContain('include /etc/nginx/modules-enabled/*.conf;');
  expect(conf).toContain('include /etc/nginx/conf.d/*.conf;');
  expect(confOf([], {}, { distribution: 'rocky', packageManager: 'dnf' })).toContain('user nginx nginx;');
});

test('what a build would need and does not have is refused before anything is done', () => {
  const { port: _, marker: __, ...built } = example;
  const planned = (listen: object) => () =>
    plan({ ...built, port: undefined, marker: undefined, sites: [{ name: 'one', listen: [listen], page }] });
  expect(planned({ port: 443, tls })).not.toThrow();
  expect(planned({ port: 53, protocol: 'udp' })).toThrow('built without what answers UDP');
});

const one = { name: 'one', listen: [{ port: 80 }], page };
test.each([
  ['two sites of one name', [one, { ...one, listen: [{ port: 81 }] }], 'two sites are named one'],
  ['two sites that could not be told apart', [one, { ...one, name: 'two' }], 'one and two listen on 0.0.0.0:80 without a name'],
  [
    'one name twice',
    [
      { ...one, server_name: 'a.example' },
      { ...one, name: 'two', server_name: ['b.example', 'A.example'] },
    ],
    'two sites answer to a.example',
  ],
  [
    'a port with and without TLS',
    [one, { ...one, name: 'two', server_name: 'b.example', listen: [{ port: 80, tls }] }],
    'both with and without TLS',
  ],
  ['a page with a variable for UDP', [{ ...one, listen: [{ port: 53, protocol: 'udp' }], page: '$hostname' }], 'a page without'],
  ['neither page nor folder', [{ ...one, page: undefined }], 'one of'],
  ['a name that would be syntax', [{ ...one, server_name: 'a; include /etc/passwd' }], 'a name such as'],
  ['a folder that would be syntax', [{ ...one, page: undefined, root: '/srv/a;b' }], 'a path of letters'],
])('%s is refused', (_, sites, message) => {
  expect(JSON.stringify(nginxConfig.params.safeParse({ sites }).error?.issues)).toContain(message);
});
