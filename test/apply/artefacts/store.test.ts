import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchBlob, openStore } from '../../../src/apply/artefacts/store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = Buffer.alloc(1_000_000, 'lvsctl');
const blob = () => ({ sha256: createHash('sha256').update(bytes).digest('hex'), name: 'file', from: [join(folder, 'file')] });

test('a file that several hosts want at the same time is fetched once, for all of them', async () => {
  writeFileSync(join(folder, 'file'), bytes);
  const store = openStore(join(folder, 'store'));
  const paths = await Promise.all([1, 2, 3, 4].map(() => fetchBlob(store, blob())));
  expect(new Set(paths).size).toBe(1);
  expect(readFileSync(paths[0] ?? '').equals(bytes)).toBe(true);
  expect(readdirSync(join(folder, 'store', 'blobs'))).toEqual([blob().sha256]);
});

test('after a fetch that failed another one is tried', async () => {
  const store = openStore(join(folder, 'store'));
  await expect(Promise.all([fetchBlob(store, blob()), fetchBlob(store, blob())])).rejects.toThrow(/cannot be had/);
  writeFileSync(join(folder, 'file'), bytes);
  expect(readFileSync(await fetchBlob(store, blob())).equals(bytes)).toBe(true);
});

test('what is not what was asked for is thrown away, and not taken for it the next time', async () => {
  const store = openStore(join(folder, 'store'));
  writeFileSync(join(folder, 'file'), 'something else');
  await expect(fetchBlob(store, blob())).rejects.toThrow(/file has SHA-256 [0-9a-f]{64}/);
  expect(readdirSync(join(folder, 'store', 'blobs'))).toEqual([]);
});

test('nobody else may look into it, or put anything there', () => {
  openStore(join(folder, 'store'));
  for (const name of ['blobs', 'artefacts']) expect(statSync(join(folder, 'store', name)).mode & 0o777).toBe(0o700);
});
