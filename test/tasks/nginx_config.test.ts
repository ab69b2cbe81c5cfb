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
  ['a name for an address', { listen: ['web1'] }, 'an IPv4 address'],
])('%s is refused', (_, difference, message) => {
  expect(JSON.stringify(nginxConfig.params.safeParse({ ...example, ...difference }).error?.issues)).toContain(message);
});
