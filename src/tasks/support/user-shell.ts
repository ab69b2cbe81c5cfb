import { type Sh, sh } from '../../task.ts';

/** Private-use characters mark the slots of secrets; no other text has them. */
const slot = /\p{Co}/u;

export function holdsSecret(text: string): boolean {
  return slot.test(text);
}

/**
 * A command of the user's own in a shell of its own. Arguments are there for everybody on the host to read, so one that holds a secret
 * comes through the environment of that shell, which root alone can read.
 */
export function userShell(command: string): Sh {
  if (!holdsSecret(command)) return sh`sh -c -- ${command}`;
  return sh`LVSCTL_COMMAND=${command} sh -c 'lvsctl_command=$LVSCTL_COMMAND; unset LVSCTL_COMMAND; eval "$lvsctl_command"'`;
}
