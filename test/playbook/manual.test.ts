/** Every example of docs/playbooks.md is what it says it is. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseInventory } from '../../src/inventory/load.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { habitIn } from '../../src/playbook/habits.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { loadRegistry, type Registry } from '../../src/playbook/registry.ts';
import { base } from '../inventory/base.ts';
import { fleet } from './support.ts';

const manual = readFileSync(new URL('../../docs/playbooks.md', import.meta.url), 'utf8');
const examples = [...manual.matchAll(/^```(\S+) (\S+)\n([\s\S]*?)^```$/gm)].map(([, language = '', kind = '', text = '']) => ({
  language,
  kind,
  text,
  first: text.split('\n')[0] ?? '',
}));
const of = (kind: string) => examples.filter((example) => example.kind === kind);

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-manual-'));
let registry: Registry;

function put(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
const bind = (text: string) => bindPlaybook(loadPlaybook(put('site.yaml', text)), fleet, registry);

beforeAll(async () => {
  put('tasks/web.yaml', '- group: { name: imported }\n');
  put('files/banner', 'x\n');
  for (const { language, kind, text } of examples) if (language === 'js') put(kind, text);
  registry = await loadRegistry([join(folder, 'site.yaml')]);
});

test('every fenced block says what it is', () => {
  expect(manual.match(/^```./gm)).toHaveLength(examples.length);
  expect([...new Set(examples.map(({ kind }) => kind))].sort()).toEqual(['inventory', 'playbook', 'tasks', 'tasks/swap_file.js']);
});

describe('playbooks', () => {
  test.each(of('playbook'))('$first', ({ text }) => {
    const plays = bind(text);
    expect(plays.some(({ steps, checks }) => checks.length > 0 || Object.values(steps).some((list) => list.length > 0))).toBe(true);
  });
});

describe('lists of tasks', () => {
  test.each(of('tasks'))('$first', ({ text }) => {
    const [play] = bind(`- name: example\n  hosts: web1\n  tasks:\n${text.replace(/^(?=.)/gm, '    ')}`);
    expect(play?.steps.web1?.length).toBeGreaterThan(0);
  });
});

describe('inventories', () => {
  /** The small cluster of the tests, with what the example says instead of its own. */
  const whole = (text: string): string => {
    const own = Object.keys(parse(text) as object);
    const kept = base.split(/^(?=\S)/m).filter((section) => !own.some((key) => section.startsWith(`${key}:`)));
    return `${kept.join('')}${text}`;
  };
  test.each(of('inventory'))('$first', ({ text }) => {
    expect(parseInventory(whole(text), 'web.yaml').fleet.hosts.length).toBeGreaterThan(2);
  });

  test('precedence is as the text says', () => {
    const [example] = of('inventory');
    const { hosts } = parseInventory(whole(example?.text ?? ''), 'web.yaml').fleet;
    expect(hosts.map(({ name, vars }) => `${name} ${vars.colour}`)).toEqual([
      'dr1 grey',
      'dr2 grey',
      'web1 yellow',
      'web2 green',
      'probe grey',
    ]);
  });
});

test('variables of a play are evaluated with those of the task', () => {
  const [play] = bind(of('playbook').find(({ text }) => text.includes('Precedence'))?.text ?? '');
  expect(play?.steps.web1).toMatchObject([{ name: 'Beside /mnt/data', want: { path: '/mnt/data' } }]);
});

test('what the table says is missing is missing, with a hint', () => {
  for (const word of ['become', 'gather_facts', 'changed_when', 'ignore_errors', 'roles']) {
    expect(manual).toContain(word);
    expect(habitIn([word])?.hint).toMatch(/\w+/);
  }
});

test('the file that the manual points to first is a playbook', () => {
  const plays = loadPlaybook('playbooks/app-server/site.yaml').plays;
  expect(plays.flatMap(({ tasks }) => tasks).length).toBeGreaterThan(10);
});
