import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tasks } from '../../src/cli/commands/reference.ts';
import type { CommonFlags } from '../../src/cli/flags.ts';
import { list } from '../../src/cli/list.ts';

const book = `
- name: first
  hosts: backends
  tags: all-of-it
  tasks:
    - name: group <%= item %>
      group: { name: "<%= item %>" }
      loop: [a, b]
      tags: accounts
    - name: not on web2
      when: host.name !== 'web2'
      group: { name: c }
  checks:
    - name: pages
      real_server_page: { path: / }
- name: second
  checks:
    - vip_arp: {}
`;
const folder = mkdtempSync(join(tmpdir(), 'lvsctl-list-'));
const file = join(folder, 'site.yaml');
writeFileSync(file, book);

let printed = '';
beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const flags = (more: Partial<CommonFlags>): CommonFlags => ({ limit: 'all', color: false, verbose: 0, forks: 5, ...more });
const shown = async (more: Partial<CommonFlags>, books = { plays: file, checks: file }): Promise<string> => {
  await list('deploy', 'inventory/dr.yaml', flags(more), books);
  return printed;
};

test('hosts and tasks of each play; checks beside them', async () => {
  expect(await shown({ listHosts: true, listTasks: true })).toBe(`playbook: ${file}

  play #1 (backends): first
    hosts (2):
      web1
      web2
    tasks:
      group <%= item %>  TAGS: [all-of-it, accounts]
      not on web2  TAGS: [all-of-it]
    checks:
      pages

  play #2: second
    hosts (1):
      probe
    checks:
      vip_arp
`);
});

test('--tags and --limit narrow it; a list that was not asked for is not there', async () => {
  expect(await shown({ listTasks: true, tags: ['accounts'] }, { plays: file, checks: file })).not.toContain('not on web2');
  expect(printed).not.toContain('hosts (');
  printed = '';
  expect(await shown({ listHosts: true, limit: 'web[2:2]' })).toContain('  play #1 (backends): first\n    hosts (1):\n      web2\n');
});

test('--json is one document', async () => {
  const { playbooks, ...rest } = JSON.parse(await shown({ listHosts: true, json: true })) as { playbooks: readonly unknown[] };
  expect(rest).toEqual({ command: 'deploy', ok: true, exitCode: 0 });
  expect(playbooks).toEqual([
    {
      playbook: file,
      plays: [
        { name: 'first', pattern: 'backends', hosts: ['web1', 'web2'] },
        { name: 'second', hosts: ['probe'] },
      ],
    },
  ]);
});

test('bad input is refused as in a run', async () => {
  await expect(shown({ listTasks: true, tags: ['none'] })).rejects.toThrow('no task has the tag "none"');
});

test('the reference shows tasks of one’s own beside a playbook', async () => {
  mkdirSync(join(folder, 'tasks'));
  const parts = "touches: () => [], probe: () => sh`true`, parse: () => 0, plan: () => [], settled: () => 'x', example: { path: '/x' }";
  const params = "params: z.strictObject({ path: z.string().describe('Where it lies.') })";
  const text = `export default ({ defineTask, sh, z }) => defineTask({ summary: 'One of my own.', ${params}, ${parts} });\n`;
  writeFileSync(join(folder, 'tasks/mine.js'), text);
  await tasks(undefined, { playbook: file });
  expect(printed).toMatch(/^mine +One of my own\.$/m);
  printed = '';
  await tasks('mine', { playbook: file });
  expect(printed).toContain('mine: One of my own.\n\n  path: Where it lies.\n');
  await expect(tasks('mine', {})).rejects.toThrow('there is no task "mine"');
});
