/**
 * One script that carries many fragments, and the way back from its two streams to an `Output` per fragment.
 *
 * The whole is one `{ …; exit 0; }`: a shell that got only part of it runs nothing. A fragment runs in `( eval … ) </dev/null`, so its
 * exit, its syntax error and its appetite for stdin stay inside. Markers carry a nonce of the run, so nothing that a host prints can
 * pass for one; the newline before a marker belongs to the marker, so output without a final newline comes back exact.
 */
import { randomBytes } from 'node:crypto';
import type { Output } from '../model.ts';
import { quote } from './sh.ts';

/** Unguessable, and never seen in any output before. */
export function newNonce(): string {
  return `lvsctl-${randomBytes(12).toString('hex')}`;
}

/** The lines that every script of ours starts with: one language, no surprises from the login's PATH and umask. */
export const preamble = `LC_ALL=C; LANG=C; export LC_ALL LANG; umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
unset ENV BASH_ENV CDPATH`;

/** The script, for the stdin of any POSIX shell. `fragments` are rendered shell text, in order. */
export function frame(fragments: readonly string[], nonce: string): string {
  const calls = fragments.map((fragment, index) => `lvsctl_part ${index} ${quote(fragment)}`);
  return `{
${preamble}
lvsctl_mark() { printf '\\n%s%s\\n' ${nonce} "$1"; printf '\\n%s%s\\n' ${nonce} "$1" >&2; }
lvsctl_part() {
lvsctl_mark ">$1"
( eval "$2" ) </dev/null
lvsctl_mark "<$1 $?"
}
${calls.join('\n')}
lvsctl_mark .
exit 0
}
`;
}

/** Outputs by position, or `undefined` when the answer is not whole (the line dropped, the shell was killed, the output was cut). */
export function unframe(stdout: string, stderr: string, nonce: string, count: number): readonly Output[] | undefined {
  const out = sections(stdout, nonce);
  const err = sections(stderr, nonce);
  if (!out.whole || !err.whole || out.parts.length !== count || err.parts.length !== count) return undefined;
  return out.parts.map((part, index) => ({ stdout: part.text, stderr: err.parts[index]?.text ?? '', exit: part.exit }));
}

interface Sections {
  readonly parts: readonly { readonly text: string; readonly exit: number }[];
  readonly whole: boolean;
}

function sections(stream: string, nonce: string): Sections {
  const pieces = stream.split(`\n${nonce}`);
  const parts = pieces.slice(1).flatMap((piece, index, all) => {
    const text = /^>\d+\n([\s\S]*)$/.exec(piece)?.[1];
    const exit = /^<\d+ (\d+)\n/.exec(all[index + 1] ?? '')?.[1];
    return text === undefined || exit === undefined ? [] : [{ text, exit: Number(exit) }];
  });
  return { parts, whole: pieces.at(-1)?.startsWith('.') ?? false };
}
