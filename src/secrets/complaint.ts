import { EXIT, LvsError } from '../errors.ts';

/** What is wrong with a source of secrets. Neither what stands in it nor the library's own words, which may quote it, are repeated. */
export function complaint(code: string, message: string, file: string | undefined, hint?: string): LvsError {
  return new LvsError(message, {
    code: `secrets.${code}`,
    exitCode: EXIT.badInput,
    ...(file !== undefined && { where: { file } }),
    ...(hint && { hint }),
  });
}
