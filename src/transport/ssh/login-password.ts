/** Login by password: as one method or the other, never as both, so that a wrong one counts once against the account. */
import type { AnyAuthMethod } from 'ssh2';

/** Absent where the host offers neither method. `left` is what the host says may still be tried; `none` asks it for that. */
export function passwordMethod(username: string, password: string): (left: readonly string[] | null) => AnyAuthMethod | undefined {
  return (left) => {
    if (left === null) return { type: 'none', username };
    if (left.includes('password')) return { type: 'password', username, password };
    if (left.includes('keyboard-interactive')) return keyboardInteractive(username, password);
    return undefined;
  };
}

/** Answers one hidden question, once: another one is a second factor, or means that the password was wrong. */
function keyboardInteractive(username: string, password: string): AnyAuthMethod {
  let answered = false;
  return {
    type: 'keyboard-interactive',
    username,
    prompt: (_name, _instructions, _language, prompts, finish) => {
      const [first] = prompts;
      const ours = !answered && prompts.length === 1 && first?.echo !== true;
      answered = true;
      finish(ours ? [password] : prompts.map(() => ''));
    },
  };
}
