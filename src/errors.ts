/** Exit codes that scripts rely on; one meaning each (README.md). Where several apply: 130, 4, 6, 5, 1, 3, 2. */
export const EXIT = {
  done: 0,
  taskFailed: 1,
  changesPending: 2,
  verificationFailed: 3,
  badInput: 4,
  unreachable: 5,
  locked: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where something was said: a place in a file, or a step on a host. Printed as `inventory.yaml:12:5`, or `web1, step "nginx"`. */
export interface Where {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly host?: string;
  readonly step?: string;
}

export interface LvsErrorOptions {
  /** A stable word for scripts and tests, such as `inventory.unknown-key`. */
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly where?: Where;
  /** What would be right, or what to do next; one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Further complaints of the same kind: a file is read to its end, and all that is wrong with it is said at once. */
  readonly others?: readonly LvsError[];
}

/** The only thing this project throws. `message` says what was found; `where` and `hint` make it one useful line. */
export class LvsError extends Error {
  override readonly name = 'LvsError';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly where: Where | undefined;
  readonly hint: string | undefined;
  readonly others: readonly LvsError[];

  constructor(message: string, options: LvsErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.exitCode = options.exitCode;
    this.where = options.where;
    this.hint = options.hint;
    this.others = options.others ?? [];
  }
}

/** Says that a request makes sense but must not be carried out (a version that cannot build, a leap that would lock somebody out). */
export function refuse(message: string, hint?: string): LvsError {
  return new LvsError(message, { code: 'refused', exitCode: EXIT.badInput, ...(hint && { hint }) });
}

/** `inventory.yaml:12:5` or `web1, step "nginx"` or both; empty when nothing is known. */
export function formatWhere(where: Where | undefined): string {
  if (!where) return '';
  const place = [where.file, where.line, where.column].filter((part) => part !== undefined).join(':');
  const step = where.step === undefined ? undefined : `step "${where.step}"`;
  return [place, where.host, step].filter(Boolean).join(', ');
}

/** The error as the one line that people read: where, what, what to do. What would break the line, or show in another place, is spelt out. */
export function formatError(error: LvsError): string {
  const where = formatWhere(error.where);
  const line = `${where ? `${where}: ` : ''}${error.message}${error.hint ? `; ${error.hint}` : ''}`;
  return line.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
  });
}
