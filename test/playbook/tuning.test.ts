import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bindText } from './support.ts';

const path = fileURLToPath(new URL('../../playbooks/deploy/tuning.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');
const values = (host: string, when: string) => {
  const [play] = bindText(`[{ name: p, hosts: "${host}", tasks: [{ import_tasks: "${path}", when: "${when}" }] }]`);
  return (play?.steps[host] ?? []).map(({ want }) => Object.keys((want as { values: object }).values));
};

test('directors and backends have a profile each, under a condition', () => {
  const [[director = []], [backend = []]] = [values('dr1', 'true'), values('web1', 'true')];
  expect(values('dr1', 'false')).toEqual([]);
  expect(director).toContain('net.core.netdev_budget');
  expect(backend).toContain('net.core.somaxconn');
});

test('each few values have their reason', () => {
  for (const list of text.split('    values:\n').slice(1)) {
    const [before, ...groups] = list.split(/\n\n|\n(?=[#-])/)[0]?.split(/^ *# .*\n/m) ?? [];
    expect(before).toBe('');
    expect(groups.filter((group) => group.trim().split('\n').length > 4)).toEqual([]);
  }
});

test('nothing is asked for that Linux no longer has, or that hurts who accepts connections', () => {
  const keys = [...values('dr1', 'true'), ...values('web1', 'true')].flat();
  expect(keys).not.toContain('net.ipv4.tcp_tw_recycle');
  expect(keys).not.toContain('net.ipv4.tcp_tw_reuse');
});
