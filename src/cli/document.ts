/** What `--json` prints for a verb that makes no report: one document, which begins as a report does. */
import { EXIT, type ExitCode } from '../errors.ts';

/** `content` stands behind `command`, `ok` and `exitCode`, which becomes the exit code of lvsctl. */
export function printDocument(command: string, exitCode: ExitCode, content: object): void {
  process.exitCode = exitCode;
  process.stdout.write(`${JSON.stringify({ command, ok: exitCode === EXIT.done, exitCode, ...content }, null, 2)}\n`);
}
