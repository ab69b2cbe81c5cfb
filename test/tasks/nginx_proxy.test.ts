import { expect, test } from 'vitest';
import nginxProxy from '../../src/tasks/nginx_proxy.ts';
import { planContext } from '../support/plan-context.ts';

const server = { address: '10.18.43.13', port: 80 };
const upstream = { name: 'web', servers: [server] };
const site = { name: 'www', listen: [{ port: 80 }], upstream: 'web' };

function planned(params: object, host = 'dr1', stdout = '') {
  const want = nginxProxy.params.parse({ upstreams: [upstream], sites: [site], ...params });
  return nginxProxy.plan(nginxProxy.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ host }));
}

function confOf(params: object, host?: string): string {
  return planned(params, host).find(({ id }) => id.startsWith('content:'))?.will ?? '';
}

test('both directors get the same file', () => {
  expect(confOf({}, 'dr1')).toBe(confOf({}, 'dr2'));
});

test('every parameter of upstreams and sites reaches the file', () => {
  const conf = confOf({
    upstreams: [
      {
        name: 'web',
        method: 'least_conn',
        servers: [
          { ...server, weight: 3, max_fails: 2, fail_timeout: 30 },
          { ...server, port: 81, backup: true },
        ],
        keepalive: 16,
      },
      {
        name: 'phone',
        method: 'hash',
        hash_key: 'cookie_session',
        servers: [
          { address: 'fd79::13', port: 8081 },
          { ...server, weight: 0 },
        ],
      },
    ],
    sites: [
      {
        ...{ name: 'www', listen: [{ port: 80 }], server_name: 'www.example.org', upstream: 'web', client_max_body_size: '200m' },
        ...{ user_agents: [{ match: 'iphone|android (x)', upstream: 'phone' }], access_log: '/nginx_log/www.log' },
        ...{
          connect_timeout: 30,
          send_timeout: 61,
          read_timeout: 62,
          buffering: false,
          buffer_size: '256k',
          buffers: { number: 4, size: '256k' },
        },
      },
    ],
  });
  for (const line of [
    '    least_conn;',
    '    server 10.18.43.13:80 weight=3 max_fails=2 fail_timeout=30s;',
    '    server 10.18.43.13:81 weight=1 max_fails=1 fail_timeout=10s backup;',
    '    keepalive 16;',
    '    hash $cookie_session consistent;',
    '    server [fd79::13]:8081 weight=1 max_fails=1 fail_timeout=10s;',
    '    server 10.18.43.13:80 down max_fails=1 fail_timeout=10s;',
    '    "~*iphone|android (x)" phone;',
    '    server_name www.example.org;',
    '    client_max_body_size 200m;',
    '    access_log /nginx_log/www.log combined;',
    '        proxy_pass http://$lvsctl_upstream_1;',
    '        proxy_set_header X-Real-IP $remote_addr;',
    '        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '        proxy_set_header X-Forwarded-Proto $scheme;',
    '        proxy_connect_timeout 30;',
    '        proxy_send_timeout 61;',
    '        proxy_read_timeout 62;',
    '        proxy_buffering off;',
    '        proxy_buffer_size 256k;',
    '        proxy_buffers 4 256k;',
  ]) {
    expect(conf.split('\n')).toContain(line);
  }
});

test('nginx starts where the VIP is elsewhere: it listens on every address of the port, and closes what comes to no VIP', () => {
  const sites = [
    { ...site, listen: [{ address: '10.18.43.30', port: 80 }] },
    { ...site, name: 'other', listen: [{ address: '10.18.43.31', port: 80 }, { address: 'fd79::31', port: 80 }, { port: 81 }] },
  ];
  const blocks = confOf({ sites }).split('\nserver {').slice(1);
  expect(blocks.filter((block) => block.includes('return')).map((block) => block.match(/listen [^;]*|return \d+/g))).toEqual([
    ['listen 0.0.0.0:80 default_server', 'return 444'],
    ['listen [::]:80 default_server', 'return 444'],
  ]);
});

test("the page of welcome goes where a site wants its port, and only the package's", () => {
  const welcome = (params: object, stdout?: string) => planned(params, 'dr1', stdout).filter(({ id }) => id.startsWith('remove:')).length;
  const own = 'type missing\n\nend\ntype link\ncontent\n|/srv/my-own-site\n\nend\ninstalled\n';
  expect([welcome({}), welcome({ sites: [{ ...site, listen: [{ port: 8080 }] }] }), welcome({}, own)]).toEqual([1, 0, 0]);
});

test.each([
  ['an upstream that is not there', { sites: [{ ...site, upstream: 'wbe' }] }, 'there is no upstream wbe; there are web'],
  [
    'a backup with ip_hash',
    { upstreams: [{ ...upstream, method: 'ip_hash', servers: [server, { ...server, port: 81, backup: true }] }] },
    'no backup with ip_hash',
  ],
  ['no server but backups', { upstreams: [{ ...upstream, servers: [{ ...server, backup: true }] }] }, 'no server is left'],
  ['a hash of nothing', { upstreams: [{ ...upstream, method: 'hash' }] }, 'needed with the method hash'],
  ['a key that is no variable', { upstreams: [{ ...upstream, method: 'hash', hash_key: 'uri; #' }] }, 'a variable of nginx'],
  [
    'a browser that would be syntax',
    { sites: [{ ...site, user_agents: [{ match: 'a" web; b', upstream: 'web' }] }] },
    'a regular expression of letters',
  ],
  ['a log that would be syntax', { sites: [{ ...site, access_log: '/tmp/a; b' }] }, 'a path of letters'],
])('%s is refused', (_, difference, message) => {
  const params = { upstreams: [upstream], sites: [site], ...difference };
  expect(
    nginxProxy.params
      .safeParse(params)
      .error?.issues.map((issue) => issue.message)
      .join('\n'),
  ).toContain(message);
});
