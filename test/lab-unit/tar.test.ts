import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tar } from '../../src/lab/tar.ts';

const name = fc.stringMatching(/^[a-z0-9._-]{1,40}$/).filter((text) => text !== '.' && text !== '..');

test('tar reads back every file with its content and mode', () => {
  const file = fc.record({
    path: name,
    mode: fc.constantFrom(0o600, 0o644, 0o755),
    content: fc.string({ unit: 'binary', maxLength: 2000 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 4 }), (files) => {
      const folder = mkdtempSync(join(tmpdir(), 'lvsctl-tar-'));
      try {
        const entries = [{ path: 'etc', mode: 0o700 }, ...files.map((each) => ({ ...each, path: `etc/${each.path}` }))];
        const ran = spawnSync('tar', ['--extract', '--preserve-permissions', '--directory', folder], { input: tar(entries) });
        expect(ran.stderr.toString()).toBe('');
        expect(statSync(join(folder, 'etc')).mode & 0o777).toBe(0o700);
        for (const each of files) {
          expect(readFileSync(join(folder, 'etc', each.path), 'utf8')).toBe(Buffer.from(each.content).toString('utf8'));
          expect(statSync(join(folder, 'etc', each.path)).mode & 0o777).toBe(each.mode);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 5 },
  );
});

test('a path too long for the format is refused, not cut', () => {
  expect(() => tar([{ path: 'x'.repeat(101), mode: 0o644, content: '' }])).toThrow(RangeError);
});
