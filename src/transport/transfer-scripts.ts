/** What the host's end of a transfer runs. A shell may read its script in blocks, so whoever sends bytes waits until it has answered. */
import { preamble } from '../sh/frame.ts';
import { lines, renderSh, type Sh, sh } from '../sh/sh.ts';

/** `lvsctl_sum FILE` prints the SHA-256; from stdin, as a file's name would be escaped in the answer. */
const sum = sh`lvsctl_sum() {
if command -v sha256sum >/dev/null 2>&1; then lvsctl_line=$(sha256sum <"$1")
elif command -v openssl >/dev/null 2>&1; then lvsctl_line=$(openssl dgst -sha256 -r <"$1")
else echo 'there is neither sha256sum nor openssl' >&2; return 1
fi || return 1
printf '%s\\n' "\${lvsctl_line%% *}"
}`;

export interface Receive {
  readonly to: string;
  readonly sha256: string;
  /** Octal digits: `600`. */
  readonly mode: string;
  readonly nonce: string;
}

/**
 * Takes a file from stdin. Answers `have` when it is there already; else `send`, and then `stored`, `sum WHAT-CAME` or `failed`.
 * Its bytes lie in a new root-only file beside the target until they are proven.
 */
export function receiveScript({ to, sha256, mode, nonce }: Receive): string {
  return script(
    sum,
    sh`to=${to} want=${sha256} part=${`${to}.${nonce}.part`} dir=${parent(to)}
answer() { printf '\\n%s %s\\n' ${nonce} "$1"; }
give_up() { rm -f -- "$part"; answer "$1"; exit 1; }
if [ -f "$to" ] && [ "$(lvsctl_sum "$to")" = "$want" ]; then
chmod -- ${mode} "$to" || give_up failed
answer have
exit 0
fi
if [ -d "$to" ]; then echo "$to is a directory" >&2; give_up failed; fi
mkdir -p -- "$dir" || give_up failed
set -C
true >"$part" || give_up failed
answer send
cat >>"$part" || give_up failed
got=$(lvsctl_sum "$part") || give_up failed
[ "$got" = "$want" ] || give_up "sum $got"
chmod -- ${mode} "$part" || give_up failed
mv -f -- "$part" "$to" || give_up failed
answer stored`,
  );
}

/** Gives a file on stdout: the answer `SHA256 SIZE`, then its bytes and nothing else. */
export function giveScript(from: string, nonce: string): string {
  return script(
    sum,
    sh`from=${from}
[ -f "$from" ] || { echo "$from is not there" >&2; exit 1; }
got=$(lvsctl_sum "$from") || exit 1
size=$(wc -c <"$from") || exit 1
printf '\\n%s %s %s\\n' ${nonce} "$got" "$((size))"
cat <"$from" || exit 1`,
  );
}

function script(...parts: readonly Sh[]): string {
  return `{\n${preamble}\n${renderSh(lines(...parts), (value) => value)}\nexit 0\n}\n`;
}

function parent(path: string): string {
  return path.replace(/\/+[^/]*$/, '') || '/';
}
