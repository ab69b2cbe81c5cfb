/** What shells and ShellCheck say of fragments, without running any. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderSh } from '../../src/sh/sh.ts';
import { type Fragment, textOf } from './fragments.ts';

export const shells = ['dash', 'bash', 'mksh', 'busybox ash'] as const;

/** Complaints of the shell's own reader (`-n`), one per fragment that it does not take. */
export function syntaxErrors(shell: (typeof shells)[number], fragments: readonly Fragment[]): readonly string[] {
  return withFiles(fragments.map(textOf), (folder) => {
    const found = inFolder(folder, `for each in *; do said=$(${shell} -n "$each" 2>&1) || printf '%s %s\\0' "$each" "$said"; done`);
    return found
      .split('\0')
      .slice(0, -1)
      .map((line) => `${fragments[Number.parseInt(line, 10)]?.name}: ${line}`);
  });
}

/** Warnings of ShellCheck, and of its lesser notes those on words that may split. */
export function shellcheck(fragments: readonly Fragment[]): readonly string[] {
  const said = withFiles(fragments.map(textOf), (folder) => inFolder(folder, 'shellcheck -s sh -S info -f gcc -- *'));
  const counts = /: (error|warning): |\[SC(2086|2046|2048|2068|2231)\]$/;
  return said
    .split('\n')
    .filter((line) => counts.test(line))
    .map((line) => `${fragments[Number.parseInt(line, 10)]?.name}: ${line}`);
}

/**
 * Values that stand where quotes, a here-document, a comment or arithmetic would take them apart. In their place is put what no shell
 * reads outside quotes: where dash takes the fragment all the same, the place was not outside quotes.
 */
export function misplacedValues(fragments: readonly Fragment[]): readonly string[] {
  const probes = fragments.flatMap(({ name, sh }) =>
    sh.parts.flatMap((part, place) => {
      if ('text' in part) return [];
      const before = renderSh({ parts: sh.parts.slice(0, place) }, (value) => value);
      const after = renderSh({ parts: sh.parts.slice(place + 1) }, (value) => value);
      return [{ where: `${name}: …${before.slice(-60)}[here]`, text: `${before} ;;; ${after}\n` }];
    }),
  );
  const taken = withFiles(
    probes.map(({ text }) => text),
    (folder) => inFolder(folder, 'for each in *; do ! dash -n "$each" 2>/dev/null || printf "%s\\n" "$each"; done'),
  );
  const backquotes = fragments.filter(({ sh }) => sh.parts.some((part) => 'text' in part && part.text.includes('`')));
  return [
    ...taken.split('\n').flatMap((index) => (index ? [probes[Number(index)]?.where ?? ''] : [])),
    ...backquotes.map(({ name }) => `${name}: a backquote, inside which quoting means something else; write $( )`),
  ];
}

function withFiles<Result>(texts: readonly string[], use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-lint-'));
  try {
    for (const [index, text] of texts.entries()) writeFileSync(join(folder, String(index)), text);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inFolder(folder: string, script: string): string {
  const ran = spawnSync('dash', ['-c', script], { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (/not found/.test(ran.stderr)) throw new Error(`${ran.stderr.trim()}; the tests need dash, bash, mksh, busybox and shellcheck`);
  return ran.stdout;
}
