import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fleet, Step } from '../../src/model.ts';
import task from '../../src/tasks/template.ts';
import { hostileText } from '../support/hostile.ts';
import { planContext } from '../support/plan-context.ts';
import { bindText, complaintOf, fleet } from './support.ts';

const canary = 'lvsctlCanary';
const alarm = globalThis as { [canary]?: string };
const code = `globalThis.${canary} = 'ran'`;

/** What the file comes to that `template` makes. */
function made(step: Step | undefined): string | undefined {
  const want = step?.want as Parameters<typeof task.plan>[1];
  return task.plan(task.parse({ stdout: 'type missing\n', stderr: '', exit: 0 }, want), want, planContext())[0]?.will;
}

const inventory = (vars: Record<string, unknown>): Fleet => ({
  ...fleet,
  hosts: fleet.hosts.map((host) => ({ ...host, vars: { ...host.vars, ...vars } })),
});

const book = (template: string): string =>
  `- name: p\n  hosts: web1\n  tasks:\n    - template: { path: /etc/motd, template: ${JSON.stringify(template)} }\n`;

const fromInventory = (template: string, vars: Record<string, unknown>): string | undefined =>
  made(bindText(book(template), {}, inventory(vars))[0]?.steps.web1?.[0]);

const attacks = [
  `<%= ${code} %>`,
  `<%- ${code} %>`,
  `<% ${code} %>`,
  `<%_ ${code} _%>`,
  `"+(${code})+"`,
  '<%% a %%>',
  '<%>',
  'http://x',
  '%>',
];

describe('a value in a template is text', () => {
  test.each(attacks)('of the inventory: %s', (value) => {
    for (const template of ['Welcome to <%= vars.site %>\n', 'Welcome to <%- vars.site %>\n']) {
      expect(fromInventory(template, { site: value })).toBe(`Welcome to ${value}\n`);
    }
    expect(fromInventory('<%= vars.site %>', { site: value })).toBe(value);
    expect(fromInventory('<%= vars.site %>\n', { site: value })).toBe(`${value}\n`);
    expect(alarm[canary]).toBeUndefined();
  });

  test.each([
    ['<%= vars.a %><%= vars.b %>>\n', { a: '<', b: `%= ${code} %` }, `<%= ${code} %>\n`],
    ['<<%= vars.a %>%>\n', { a: `%= ${code} ` }, `<%= ${code} \n`],
  ])('cut into pieces: %s', (template, vars, text) => {
    expect(fromInventory(template, vars)).toBe(text);
    expect(alarm[canary]).toBeUndefined();
  });

  test('whatever it is', () => {
    const vars = fc.record({ a: hostileText, b: hostileText });
    fc.assert(
      fc.property(vars, ({ a, b }) => {
        expect(fromInventory('<%= vars.a %>-<%= vars.b %>\n<%%= host.name %>', { a, b })).toBe(`${a}-${b}\nweb1`);
      }),
    );
  });

  test('of all parameters that one expression gives', () => {
    const text = '- name: p\n  hosts: web1\n  tasks:\n    - template: "<%= vars.all %>"\n';
    const vars = { all: { path: '/etc/motd', template: attacks[0] } };
    expect(made(bindText(text, {}, inventory(vars))[0]?.steps.web1?.[0])).toBe(attacks[0]);
    expect(alarm[canary]).toBeUndefined();
  });

  test.each([
    ['registered.said.lines[0]', attacks[0]],
    ['facts.hostname', attacks[0]],
  ])('of what a host has said: %s', (expression, value = '') => {
    const text = `- name: p
  hosts: web1
  tasks:
    - query: { run: uname }
      register: said
    - barrier: true
    - template: { path: /etc/motd, template: "This is <%= ${expression} %>\\n" }
`;
    const said = { exit: 0, stdout: value, stderr: '', lines: [value] };
    const known = {
      facts: { web1: { ...planContext().facts, hostname: value } },
      registered: { web1: { said } },
    };
    const steps = bindText(text, { known } as never)[0]?.steps.web1;
    expect(made(steps?.at(-1))).toBe(`This is ${value}\n`);
    expect(alarm[canary]).toBeUndefined();
  });
});

describe('which file is a template', () => {
  test('is said by the playbook, a value chooses among those of one folder', () => {
    const want = bindText(book('templates/<%= host.role %>.ejs'))[0]?.steps.web1?.[0]?.want;
    expect(want).toMatchObject({ template: 'templates/backend.ejs' });
  });

  test.each(['../evil', '.hidden', 'a<%b', 'a\nb'])('%j is no part of its name', (value) => {
    expect(complaintOf(() => fromInventory('templates/<%= vars.site %>.ejs', { site: value }))).toMatch(
      /^book\.yaml:4:\d+: .* cannot stand in the name of a template; /,
    );
  });

  test('a value names none', () => {
    expect(complaintOf(() => fromInventory('<%= vars.site %>', { site: './evil.ejs' }))).toMatch(
      /is a value, and no template; name the file/,
    );
    expect(complaintOf(() => fromInventory('Welcome to <%= vars.site %>', { site: 'x/../evil.ejs' }))).toMatch(
      /is a value, and no template/,
    );
  });
});
