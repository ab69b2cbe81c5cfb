/** What goes wrong in a user's own task or check, said of its file: it is no defect of lvsctl. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT, formatWhere, LvsError, type Where } from '../errors.ts';

/** The function as it is, but for what it throws: that names the file. `refuse(…)` passes through. */
export function watched<Work extends (...args: never[]) => unknown>(work: Work, name: string, file: string): Work {
  const call = (...args: Parameters<Work>): unknown => {
    try {
      return work(...args);
    } catch (error) {
      if (error instanceof LvsError) throw error;
      throw failure(file, `${name} fails: ${said(error)}`, placeIn(file, error));
    }
  };
  return call as Work;
}

/** A step's reason is a sentence without a place of its own, so the place is in the sentence. */
export function failure(file: string, message: string, where: Where = { file }): LvsError {
  return new LvsError(`${formatWhere(where)}: ${message}`, { code: 'registry.fails', exitCode: EXIT.badInput });
}

/** The line of the file that threw, where the error knows it. */
export function placeIn(file: string, error: unknown): Where {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const names = [resolve(file), pathToFileURL(resolve(file)).href].map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const [, line, column] = new RegExp(`(?:${names.join('|')}):(\\d+):(\\d+)`).exec(stack) ?? [];
  return line === undefined ? { file } : { file, line: Number(line), column: Number(column) };
}

/** The first line of what was thrown. */
export function said(error: unknown): string {
  const text = error instanceof Error ? `${error instanceof LvsError ? '' : `${error.name}: `}${error.message}` : String(error);
  return text.split('\n', 1)[0] ?? '';
}
