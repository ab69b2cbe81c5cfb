import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keepalivedConf } from '../../src/tasks/support/keepalived/conf.ts';
import { exampleCases, goldenCases, goldenFile, versions } from '../support/keepalived-goldens.ts';

const cases = [...(await goldenCases()), ...(await exampleCases())];
const rows = cases.flatMap((each) => versions.map((version) => ({ ...each, version })));

test.each(rows)('$name, keepalived $version', ({ name, want, version }) => {
  const file = goldenFile(name, version);
  expect(keepalivedConf(want, version)).toBe(file === undefined ? 'a golden file' : readFileSync(file, 'utf8'));
});

test('no golden file is left over', () => {
  const all = readdirSync('test/golden/keepalived', { recursive: true, encoding: 'utf8' });
  const files = all.filter((file) => file.endsWith('.conf'));
  const known = new Set(rows.map(({ name, version }) => goldenFile(name, version)));
  expect(files.filter((file) => !known.has(`test/golden/keepalived/${file}`))).toEqual([]);
});
