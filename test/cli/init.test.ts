import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';
import { command } from '../support/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-init-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [node, main] = command;
const lvsctl = (...words: readonly string[]) => spawnSync(node, [main, ...words], { encoding: 'utf8' });

test('what it writes is an inventory that can be used as it is, with a VRID that is its own', () => {
  const { status, stdout } = lvsctl('init', join(folder, 'My Shop!'));
  const file = join(folder, 'My Shop!', 'inventory.yaml');
  const { fleet } = loadInventory(file);
  expect({ status, cluster: fleet.cluster, services: fleet.services.length, hosts: fleet.hosts.length }).toEqual({
    ...{ status: 0, cluster: 'my-shop', services: 1, hosts: 5 },
  });
  expect(stdout).toMatch(/the cluster my-shop, with VRID \d+\n {2}put your addresses into /);
  // What is commented out can be put in force.
  const all = readFileSync(file, 'utf8').replace(/^( *)# (?=(?:persistence|sorry_server|firewall|sync|system):)/gm, '$1');
  writeFileSync(file, all);
  expect(loadInventory(file).fleet).toMatchObject({ sync: true, firewall: 'managed', services: [{ persistence: 50 }] });
});

test('each draws a VRID of its own', () => {
  const ids = Array.from({ length: 8 }, (_, number) => {
    const said = JSON.parse(execFileSync(node, [main, 'init', join(folder, String(number)), '--json'], { encoding: 'utf8' }));
    const { fleet } = loadInventory(said.file);
    expect(fleet.vrrp?.instances.map(({ id }) => id)).toEqual([said.vrid]);
    return said.vrid;
  });
  expect(ids.every((id) => id >= 1 && id <= 255)).toBe(true);
  expect(new Set(ids).size).toBeGreaterThan(3);
});

test('an inventory that is there is left as it is', () => {
  const file = join(folder, 'inventory.yaml');
  writeFileSync(file, 'mine\n');
  const { status, stderr } = lvsctl('init', folder);
  expect({ status, stderr, text: readFileSync(file, 'utf8') }).toEqual({
    ...{ status: 4, text: 'mine\n' },
    stderr: `error: ${file}: this file is there already, and is left as it is; name another folder: lvsctl init DIR\n`,
  });
});
