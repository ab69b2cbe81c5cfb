/**
 * The frame for somebody who may look and do nothing else. sudo lets them run one command, always the same: it takes shell text from its
 * standard input, and evaluates a part of it only where the host's own list has its SHA-256. So what may be read is exactly what the
 * author of that list has read, to the byte, whoever has got hold of the account; nothing has to be installed for it.
 */
import { createHash } from 'node:crypto';

/** The rule of sudo and the list, both in one file that root writes. */
export const readerFile = '/etc/sudoers.d/lvsctl-reader';

/**
 * For `sh -c`: one line without single quotes, `!` and backslashes, since sudoers, csh and fish must all leave it as it is. Every word of the
 * input after the nonce is one part, in base64; the output is that of `frame` in frame.ts. A part that is not on the list ends with 256.
 */
const program = [
  'set -f; LC_ALL=C; LANG=C; export LC_ALL LANG; umask 077',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; unset ENV BASH_ENV CDPATH',
  'lvsctl_mark() { echo; echo "$lvsctl_nonce$1"; echo >&2; echo "$lvsctl_nonce$1" >&2; }',
  'lvsctl_nonce=; lvsctl_part=0',
  'for lvsctl_word in $(cat); do if [ -z "$lvsctl_nonce" ]; then lvsctl_nonce=$lvsctl_word; continue; fi',
  `lvsctl_text=$(echo "$lvsctl_word" | base64 -d; echo .); lvsctl_text=\${lvsctl_text%.}`,
  'lvsctl_sum=$(printf %s "$lvsctl_text" | sha256sum); lvsctl_mark ">$lvsctl_part"',
  `if grep -q "^# \${lvsctl_sum%% *} " ${readerFile}; then ( set +f; eval "$lvsctl_text" ) </dev/null; lvsctl_exit=$?`,
  'else lvsctl_exit=256; fi; lvsctl_mark "<$lvsctl_part $lvsctl_exit"; lvsctl_part=$((lvsctl_part + 1)); done; lvsctl_mark .',
].join('; ');

/** What a login shell is told, whichever shell it is. */
export const readerCommand = `sudo -n /bin/sh -c '${program}'`;

/** The exit code of a part that the host does not let this user read: none that a command can end with. */
export const notListed = 256;

/** What goes to the standard input of `readerCommand`. */
export function readerInput(fragments: readonly string[], nonce: string): string {
  return [nonce, ...fragments.map((fragment) => Buffer.from(ended(fragment)).toString('base64'))].map((word) => `${word}\n`).join('');
}

/** A fragment, and what it is for. */
export interface Listed {
  readonly text: string;
  readonly name: string;
}

/** No part is empty, and a sum is that of the text as it would stand in a file. */
const ended = (text: string): string => `${text}\n`;

/** What stands for a fragment on the list. */
export function digestOf(text: string): string {
  return createHash('sha256').update(ended(text)).digest('hex');
}

/** The text of `readerFile`. `user` is the name of an account; a name of a fragment is shown in one line, whatever is in it. */
export function sudoersText(user: string, listed: readonly Listed[], head: readonly string[]): string {
  const comments = (texts: readonly string[]): readonly string[] => texts.map((text) => `# ${text.replaceAll(/\s+/g, ' ')}`);
  return [
    ...comments(head),
    `Defaults:${user} !requiretty, env_reset`,
    `${user} ALL=(root) NOPASSWD: /bin/sh -c ${program.replaceAll(/[\\,:=#*?[\]]/g, '\\$&')}`,
    ...comments(listed.map(({ text, name }) => `${digestOf(text)} ${name}`)),
    '',
  ].join('\n');
}
