/** The `validate` parameter of `file` and `template`. */
import { type Sh, sh } from '../../../task.ts';
import { text } from '../params.ts';
import { holdsSecret } from '../user-shell.ts';

export const validator = text
  .refine((command) => command.includes('%s'), 'a command with "%s" where the path of the new file goes, such as "nginx -t -c %s"')
  .refine((command) => !holdsSecret(command), 'a command without secrets: everybody on the host may read arguments')
  .optional()
  .describe('Command that must accept the new content before it replaces the old; `%s` stands for the path of the new file.');

/** The fragment that runs the command on the staged copy; undefined without a command. */
export function validateWith(command: string | undefined): ((staged: Sh) => Sh) | undefined {
  if (command === undefined) return undefined;
  return (staged) => sh`sh -c -- ${command.replaceAll('%s', '"$1"')} validate ${staged} </dev/null`;
}
