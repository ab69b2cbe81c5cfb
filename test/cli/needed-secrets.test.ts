/** Which secrets a run cannot be without. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { CommonFlags } from '../../src/cli/flags.ts';
import { bindAll, neededSecrets, ownPlaybook, readAll } from '../../src/cli/session.ts';
import { edited } from '../inventory/base.ts';

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-needed-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const inventory = put(
  'i.yaml',
  edited(
    ['vip_interface: eth1 }', 'vip_interface: eth1, auth_pass: !secret vrrp }'],
    ['nginx:\n', 'vars: { db: !secret db, no: !secret no }\nnginx:\n'],
  ),
);
const book = (tasks: string): string => put('book.yaml', `- name: p\n  hosts: web1\n  tasks:\n${tasks}`);

async function needed(plays: string | undefined, checks?: string, more: Partial<CommonFlags> = {}): Promise<readonly string[]> {
  const flags: CommonFlags = { limit: 'all', color: false, verbose: 0, forks: 5, ...more };
  const read = await readAll(inventory, flags, { ...(plays && { plays }), ...(checks && { checks }) });
  return [...neededSecrets(bindAll(read, flags), read.secretNames)].sort();
}

test('of a deploy, what its tasks take; where only web servers are deployed to, nothing; of a teardown, a verify, or no playbook, nothing', async () => {
  expect(await needed(ownPlaybook('deploy'), ownPlaybook('verify'))).toEqual(['vrrp']);
  expect(await needed(ownPlaybook('deploy'), ownPlaybook('verify'), { limit: 'web1' })).toEqual([]);
  expect(await needed(ownPlaybook('teardown'), undefined, { extraVars: ['{"force":false}'] })).toEqual([]);
  expect(await needed(undefined, ownPlaybook('verify'))).toEqual([]);
  expect(await needed(undefined)).toEqual([]);
});

test('of a playbook of one’s own, what stands in parameters; with a step that waits for a look, all that is named', async () => {
  const copy = "    - copy: { dest: /srv/a, content: '<%= vars.db %> <%= vars.own %>' }\n      vars: { own: !secret own }\n";
  expect(await needed(book(copy))).toEqual(['db', 'own']);
  expect(await needed(book("    - copy: { dest: /srv/a, content: 'x' }\n"), undefined, { extraVars: ['x=1'] })).toEqual([]);
  const later = "    - barrier: true\n    - copy: { dest: /srv/a, content: '<%= facts.hostname %>' }\n";
  expect(await needed(book(later))).toEqual(['db', 'no', 'vrrp']);
});
