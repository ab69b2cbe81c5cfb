import { expect, test } from 'vitest';
import { loadTemplate, renderTemplate } from '../../src/templates/render.ts';

const unit = (): string => renderTemplate(loadTemplate('nginx.service.ejs'), { prefix: '/opt/nginx', nofile: 102400 });

test('nginx.service is managed, forking, and gives absolute paths so that a new binary can take over', () => {
  expect(unit()).toBe(`# Managed by lvsctl: changes are overwritten
[Unit]
Description=nginx from /opt/nginx
Wants=network-online.target
After=network-online.target

[Service]
Type=forking
PIDFile=/opt/nginx/logs/nginx.pid
ExecStartPre=/opt/nginx/sbin/nginx -t -q
ExecStart=/opt/nginx/sbin/nginx
ExecReload=/bin/kill -s HUP $MAINPID
ExecStop=/bin/kill -s QUIT $MAINPID
KillMode=mixed
TimeoutStopSec=30
LimitNOFILE=102400

[Install]
WantedBy=multi-user.target
`);
});

test('nginx.service without its values is an error, not a unit with holes', () => {
  expect(() => renderTemplate(loadTemplate('nginx.service.ejs'), { prefix: '/opt/nginx' })).toThrow();
});
