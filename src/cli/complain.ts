/** The one place where errors become text: a line each on stderr, never a stack trace unless asked for. */
import { styleText } from 'node:util';
import { EXIT, type ExitCode, formatError, LvsError } from '../errors.ts';
import { mask } from '../sh/secret.ts';
import { printable } from '../view/printable.ts';
import { sayAside } from '../view/say.ts';

/** Prints the error and returns the exit code that stands for it. */
export function complain(error: unknown, trace: boolean): ExitCode {
  const lines = error instanceof LvsError ? [error, ...error.others].map(formatError) : [`this is a defect of lvsctl: ${said(error)}`];
  for (const line of lines) sayAside(`${styleText('red', 'error:', { stream: process.stderr })} ${mask(printable(line))}`);
  if (trace && error instanceof Error) sayAside(mask(printable(error.stack ?? '')));
  return error instanceof LvsError ? error.exitCode : EXIT.taskFailed;
}

function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}; -vvv shows where` : String(error);
}

/** The same for scripts: the document that stands where the report would be. */
export function complainInJson(error: unknown, command: string, exitCode: ExitCode): void {
  const all = error instanceof LvsError ? [error, ...error.others] : [];
  const errors = all.map(({ code, message, where, hint }) => ({
    code,
    message: mask(message),
    where: where ?? {},
    hint: mask(hint ?? ''),
  }));
  const defect = { code: 'defect', message: error instanceof Error ? error.message : String(error), where: {}, hint: '' };
  const document = { command, ok: false, exitCode, errors: errors.length > 0 ? errors : [defect] };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
