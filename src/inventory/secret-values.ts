/** Values of secrets that would not mean what they say where they are written: nothing of them is ever shown. */
import { EXIT, LvsError } from '../errors.ts';
import type { Fleet } from '../model.ts';
import { passwordRule } from './schema/vrrp.ts';

/**
 * Throws LvsError (exit 4) where the VRRP password would be cut short or end its line in keepalived.conf. `resolve` throws for a secret
 * that has no value; that is found where it is needed.
 */
export function rejectSecretValues({ vrrp, file }: Fleet, resolve: (text: string) => string): void {
  for (const { authPass } of vrrp?.instances ?? []) rejectPassword(authPass, file, resolve);
}

function rejectPassword(authPass: string | undefined, file: string, resolve: (text: string) => string): void {
  if (authPass === undefined || !authPass.startsWith('\uE000')) return;
  let value: string;
  try {
    value = resolve(authPass);
  } catch {
    return;
  }
  if (passwordRule.pattern.test(value)) return;
  throw new LvsError(`the value of the secret in vrrp.auth_pass (${value.length} characters) cannot be a VRRP password`, {
    code: 'inventory.secret-value',
    exitCode: EXIT.badInput,
    where: { file },
    hint: `it is ${passwordRule.words}`,
  });
}
