import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { fleet, registry } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-paths-'));
mkdirSync(join(folder, 'tasks'));
for (const name of ['motd', 'tasks/inner', 'own.ejs']) writeFileSync(join(folder, name), 'x\n');

const wants = (text: string, inner = '[]\n'): readonly unknown[] => {
  writeFileSync(join(folder, 'book.yaml'), `- name: p\n  hosts: web1\n  tasks:\n${text}`);
  writeFileSync(join(folder, 'tasks/list.yaml'), inner);
  return (bindPlaybook(loadPlaybook(join(folder, 'book.yaml')), fleet, registry)[0]?.steps.web1 ?? []).map(({ want }) => want);
};

test('a file beside the playbook is found there; of an imported file, beside that', () => {
  const inner = '- copy: { src: inner, dest: /etc/inner }\n- copy: { src: ../motd, dest: /etc/motd }\n';
  expect(wants('    - copy: { src: motd, dest: /etc/motd }\n    - import_tasks: tasks/list.yaml\n', inner)).toMatchObject([
    { src: join(folder, 'motd'), dest: '/etc/motd' },
    { src: join(folder, 'tasks/inner') },
    { src: join(folder, 'motd') },
  ]);
});

test('what is not there is left to the task, and so are absolute paths, other parameters and text', () => {
  const text = `    - copy: { src: nowhere, dest: /etc/motd }
    - copy: { src: /motd, dest: /etc/motd }
    - command: { run: motd, creates: /x }
    - template: { path: /etc/x, template: "motd\\n" }
    - template: { path: /etc/x, template: own.ejs }
`;
  expect(wants(text)).toMatchObject([
    { src: 'nowhere' },
    { src: '/motd' },
    { run: 'motd' },
    { template: 'motd\n' },
    { template: join(folder, 'own.ejs') },
  ]);
});
