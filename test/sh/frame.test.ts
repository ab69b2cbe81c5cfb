import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frame, newNonce, unframe } from '../../src/sh/frame.ts';
import { shells } from '../support/shells.ts';

const run = (shell: readonly string[], script: string) => spawnSync(shell[0] ?? '', shell.slice(1), { input: script, encoding: 'utf8' });

describe.each(shells)('one script with many fragments under %s', (...shell) => {
  const all = (fragments: readonly string[], script = (text: string) => text) => {
    const nonce = newNonce();
    const { stdout, stderr } = run(shell, script(frame(fragments, nonce)));
    return unframe(stdout, stderr, nonce, fragments.length);
  };

  test('every fragment has its own output, errors and exit code', () => {
    expect(all(['echo out; echo err >&2', 'exit 3', 'printf "no newline"'])).toEqual([
      { stdout: 'out\n', stderr: 'err\n', exit: 0 },
      { stdout: '', stderr: '', exit: 3 },
      { stdout: 'no newline', stderr: '', exit: 0 },
    ]);
  });

  test('a syntax error, a greedy reader and a changed environment stay inside their fragment', () => {
    const outputs = all([
      'if then',
      'cat',
      'lvsctl_part() { :; }; PATH=; cd /; set -e; false',
      'printf "%s" "still here"; command -v sed >/dev/null',
    ]);
    expect(outputs?.map(({ exit }) => exit !== 0)).toEqual([true, false, true, false]);
    expect(outputs?.[3]?.stdout).toBe('still here');
  });

  test('a script that was cut off anywhere runs nothing', () => {
    const whole = frame(['echo ran'], newNonce());
    for (const length of [whole.length - 4, Math.floor(whole.length / 2), 40]) {
      expect(run(shell, whole.slice(0, length)).stdout).not.toContain('ran\n');
    }
  });

  test('any value of a fragment arrives as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
        (value) => {
          const word = value.replaceAll("'", `'\\''`);
          expect(all([`printf '%s' '${word}'`])?.[0]?.stdout).toBe(value);
        },
      ),
      { numRuns: 20 },
    );
  });
});

test('an answer that is not whole is no answer', () => {
  const nonce = newNonce();
  const { stdout, stderr } = run(['dash'], frame(['echo a', 'echo b'], nonce));
  expect(unframe(stdout, stderr, nonce, 2)).toHaveLength(2);
  for (let cut = 0; cut < stdout.length - 1; cut += 1) expect(unframe(stdout.slice(0, cut), stderr, nonce, 2)).toBeUndefined();
  expect(unframe(stdout, '', nonce, 2)).toBeUndefined();
});

test('markers of another run are only text', () => {
  const nonce = newNonce();
  const old = `\n${newNonce()}<0 0\n`;
  const { stdout, stderr } = run(['dash'], frame([`printf '%s' '${old}'`], nonce));
  expect(unframe(stdout, stderr, nonce, 1)).toEqual([{ stdout: old, stderr: '', exit: 0 }]);
});
