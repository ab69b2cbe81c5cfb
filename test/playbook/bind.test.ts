import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { type BindOptions, bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook, parsePlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';

const { fleet } = loadInventory('inventory/dr.yaml');
const registry = await loadRegistry();
const bind = (text: string, options: BindOptions = {}) => bindPlaybook(parsePlaybook(text, 'book.yaml'), fleet, registry, options);
const complaint = (text: string): string => {
  try {
    bind(text);
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  }
  throw new Error('accepted');
};

test('what deploy runs: hosts, then real servers, then directors, each with its own parameters', () => {
  const plays = bindPlaybook(loadPlaybook('playbooks/deploy.yaml'), fleet, registry);
  expect(plays.map(({ steps }) => Object.entries(steps).map(([host, list]) => [host, ...list.map(({ task }) => task)]))).toMatchSnapshot();
  const keepalived = plays[2]?.steps.dr2?.find(({ task }) => task === 'keepalived');
  expect(keepalived?.want).toMatchObject({ router_id: 'dr2', priorities: { VI_1: 150 } });
});

test('what verify looks at: every check there is, in one example or another, and each once', () => {
  const files = readdirSync('inventory').filter((file) => file.endsWith('.yaml'));
  const looks = files.map((file) => {
    const example = loadInventory(`inventory/${file}`).fleet;
    return bindPlaybook(loadPlaybook('playbooks/verify.yaml'), example, registry).flatMap((play) =>
      play.checks.map(({ entry }) => entry.check),
    );
  });
  for (const checks of looks) expect(new Set(checks).size).toBe(checks.length);
  expect([...new Set(looks.flat())].sort()).toEqual([...registry.checks.keys()].sort());
});

test('a condition is decided now where it can be, and kept where it needs facts', () => {
  const book = `
- name: p
  hosts: backends
  tasks:
    - group: { name: a }
      when: host.name === 'web1'
    - group: { name: b }
      when: facts.distribution === 'debian'
`;
  const [play] = bind(book, { limit: 'web*' });
  expect(play?.steps.web1?.map(({ when }) => when)).toEqual([undefined, "facts.distribution === 'debian'"]);
  expect(play?.steps.web2).toHaveLength(1);
});

test('--limit narrows every play', () => {
  const [play] = bind('- name: p\n  hosts: backends\n  tasks:\n    - group: { name: a }\n', { limit: 'web2:directors' });
  expect(Object.keys(play?.steps ?? {})).toEqual(['web2']);
});

const task = (line: string): string => `- name: p\n  hosts: web1\n  tasks:\n    - ${line}\n`;

test.each([
  [task('servcie: { name: x }'), 'book.yaml:4:7: there is no task "servcie"; did you mean "service"?'],
  [
    task('service: { name: x, state: up }'),
    expect.stringMatching(/^book\.yaml:4:34: service\.state: .*"started"\|"stopped".*; see "lvsctl tasks service"$/),
  ],
  [task('group: { name: "<%= host.x.y %>" }'), expect.stringMatching(/^book\.yaml:4:22: there is no host\.x; there are: name, role, /)],
  [
    task('group: { name: "g", gdi: 1 }'),
    'book.yaml:4:27: group has no parameter "gdi"; did you mean "gid"? it takes name, system, gid, state; see "lvsctl tasks group"',
  ],
  [task('group: { name: "g<%= host.priority %>" }'), 'book.yaml:4:22: an expression inside this text gives undefined'],
  [
    task('group: { name: "<%= facts.hostname %>" }'),
    'book.yaml:4:22: facts.hostname is not known here; it may be used in "when", and here behind "barrier: true"',
  ],
  ['- name: p\n  hosts: wbe1\n  tasks: []\n', expect.stringMatching(/^book\.yaml:2:10: .*wbe1.*web1/)],
])('%j', (text, line) => expect(complaint(text)).toEqual(line));
