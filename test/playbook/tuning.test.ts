import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';
import { bindText, fleet } from './support.ts';

const path = fileURLToPath(new URL('../../playbooks/deploy/tuning.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');
const values = (host: string, when: string, of = fleet) => {
  const [play] = bindText(`[{ name: p, hosts: "${host}", tasks: [{ import_tasks: "${path}", when: "${when}" }] }]`, {}, of);
  return (play?.steps[host] ?? []).map(({ want }) => Object.keys((want as { values: object }).values));
};

test('directors and backends have a profile each, under a condition', () => {
  const [[director = []], [backend = []]] = [values('dr1', 'true'), values('web1', 'true')];
  expect(values('dr1', 'false')).toEqual([]);
  expect(director).toContain('net.core.netdev_budget');
  expect(backend).toContain('net.core.somaxconn');
});

test('a director with IPv6 remembers as many neighbours of that family', () => {
  const thresholds = (family: string) => [1, 2, 3].map((number) => `net.${family}.neigh.default.gc_thresh${number}`);
  const { fleet: both } = loadInventory('inventory/ipv6.yaml');
  expect(values('dr1', 'true', both).flat()).toEqual(expect.arrayContaining([...thresholds('ipv4'), ...thresholds('ipv6')]));
  expect(values('web1', 'true', both).flat()).not.toContain(thresholds('ipv6')[0]);
  expect(values('dr1', 'true').flat()).not.toContain(thresholds('ipv6')[0]);
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
