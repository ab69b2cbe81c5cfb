/** Files of the operator's that hold secrets: whole, or as they were. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lvsctl-write-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** In a process that may write so many KiB to a file: a write that begins below the limit ends there, as on a disk that is nearly full. */
function replaced(kib: number, file: string, characters: number): string {
  const call = `(await import(${JSON.stringify(`${root}/src/secrets/write-file.ts`)})).replaceFile(${JSON.stringify(file)}, 'x'.repeat(${characters}))`;
  const node = [process.execPath, '--import', join(root, 'node_modules/tsx/dist/loader.mjs'), '--input-type=module', '-e', call];
  const script = `trap '' XFSZ; ulimit -f ${kib}; exec "$@"`;
  return spawnSync('bash', ['-c', script, 'bash', ...node], { encoding: 'utf8', env: { ...process.env, TSX_DISABLE_CACHE: '1' } }).stderr;
}

test('a file for which there is not room enough leaves the old one, and nothing else', () => {
  const file = join(folder, 's.age');
  writeFileSync(file, 'old');
  expect(replaced(4, file, 9000)).toContain('this file cannot be written (EFBIG)');
  expect(readFileSync(file, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['s.age']);
  expect(replaced(16, file, 9000)).toBe('');
  expect(readFileSync(file, 'utf8')).toHaveLength(9000);
});
