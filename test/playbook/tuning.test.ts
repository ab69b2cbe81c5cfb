import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bindText } from './support.ts';

const path = (name: string) => fileURLToPath(new URL(`../../playbooks/tuning/${name}.yaml`, import.meta.url));
const book = (name: string, tuning: boolean) => `
- name: p
  hosts: web1
  tasks:
    - import_tasks: ${path(name)}
      when: ${tuning}
`;

describe.each(['directors', 'backends'])('the profile for %s', (name) => {
  test('is imported under a condition, and says nothing where that does not hold', () => {
    expect(bindText(book(name, true))[0]?.steps.web1?.map(({ task }) => task)).toEqual(['sysctl']);
    expect(bindText(book(name, false))[0]?.steps.web1 ?? []).toEqual([]);
  });

  test('begins with a reason, and has one for every few values', () => {
    const values = readFileSync(path(name), 'utf8').split('values:\n')[1] ?? '';
    const groups = values.split(/^ *# .*\n/m);
    expect(groups[0]).toBe('');
    expect(groups.slice(1).filter((group) => group.trim().split('\n').length > 4)).toEqual([]);
  });

  test('asks for nothing that Linux no longer has, or that hurts who accepts connections', () => {
    const keys = [...readFileSync(path(name), 'utf8').matchAll(/^ +([\w.]+): /gm)].map(([, key]) => key);
    expect(keys).not.toContain('net.ipv4.tcp_tw_recycle');
    expect(keys).not.toContain('net.ipv4.tcp_tw_reuse');
  });
});
