/** What is wrong with a playbook, said of a place in it. */
import { EXIT, LvsError, type Where } from '../errors.ts';

export function complaint(message: string, where: Where, code: string, hint?: string): LvsError {
  return new LvsError(message, { code, exitCode: EXIT.badInput, where, ...(hint && { hint }) });
}

/** A mistake that was found without knowing where it stood gets its place; one that has a place keeps it. */
export function located(error: unknown, where: Where, code: string, before = ''): LvsError {
  if (!(error instanceof LvsError)) return complaint(`${before}${said(error)}`, where, code);
  return error.where?.line === undefined ? complaint(`${before}${error.message}`, where, error.code, error.hint) : error;
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
