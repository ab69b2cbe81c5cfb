import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { playKeys } from '../../src/playbook/shapes.ts';
import { badBooks } from './bad-input.ts';
import { bindText, complaintOf, fleet, registry } from './support.ts';

test.each(badBooks)('$what', ({ files, line }) => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-bad-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const said = complaintOf(() => bindPlaybook(loadPlaybook(join(folder, 'book.yaml')), fleet, registry));
  expect(said.replaceAll(`${folder}/`, '')).toBe(line.replace('KEYS', playKeys.join(', ')));
});

test.each([
  ["'colour' in vars", true],
  ['fleet.nginx?.source', true],
  ["host.name === 'web1'", true],
  ['fleet.hosts.some(({ name }) => name === host.name)', true],
  ['Object.keys(host).length > 3 && JSON.stringify(fleet.vars).length > 0', true],
  ['host.priority > 1', false],
])('what is right is left alone: %s', (when, done) => {
  const text = `- name: p\n  hosts: web1\n  vars: { colour: red }\n  tasks:\n    - group: { name: a }\n      when: ${JSON.stringify(when)}\n`;
  expect(bindText(text)[0]?.steps.web1).toHaveLength(done ? 1 : 0);
});

test('{{ … }} where it cannot be text', () => {
  const text = '- name: p\n  hosts: web1\n  tasks:\n    - group: { name: "{{ colour }}" }\n';
  expect(complaintOf(() => bindText(text))).toMatch(/^book\.yaml:4:22: group\.name: .*; a value is written <%= … %>, not {{ … }}; see /);
});
