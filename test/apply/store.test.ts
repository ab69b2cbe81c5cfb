import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchBlob, openStore } from '../../src/apply/store.ts';

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
