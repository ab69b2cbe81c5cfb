/** Reads an ssh_config (ssh_config(5)) into lines that know where they stood. The library takes a line apart; sections and Include are ours. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import { EXIT, LvsError } from '../../errors.ts';
import { globPattern } from './known-hosts.ts';

/** One directive. */
export interface ConfigLine {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** In small letters: `hostname`, `host`, `match`, `include`. */
  readonly keyword: string;
  /** At least one; unquoted. */
  readonly values: readonly string[];
  /** `include`: the files that it means, in order. */
  readonly included?: readonly (readonly ConfigLine[])[];
}

/** OpenSSH's own limit. */
const deepest = 16;

/**
 * Every directive of the file, in order; none when there is no such file or `file` is empty. Throws LvsError `ssh.config` (exit 4) for
 * what cannot be read or understood, and for a file that others could write to.
 */
export function readSshConfig(file: string, depth = 0): readonly ConfigLine[] {
  if (file === '') return [];
  if (depth > deepest) throw configError(`more than ${deepest} files include one another`, { file });
  const text = readText(file);
  return text.split('\n').flatMap((line, index) => parseLine(line.trim(), { file, line: index + 1 }, depth));
}

function readText(file: string): string {
  try {
    const { mode, uid } = statSync(file);
    if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== userInfo().uid)) {
      throw configError(`${file} belongs to somebody else, or others may write to it`, { file }, `as ssh demands: chmod go-w ${file}`);
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof LvsError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw configError(`it cannot be read: ${cause instanceof Error ? cause.message : cause}`, { file });
  }
}

type Place = Pick<ConfigLine, 'file' | 'line'>;

function parseLine(text: string, place: Place, depth: number): readonly ConfigLine[] {
  if (text === '' || text.startsWith('#')) return [];
  const { keyword, values } = takeApart(text, place);
  if (keyword !== 'include') return [{ ...place, keyword, values }];
  const files = values.flatMap((pattern) => filesOf(pattern));
  return [{ ...place, keyword, values, included: files.map((file) => readSshConfig(file, depth + 1)) }];
}

/** One line at a time: the library reads on over the end of a line whose value is missing. */
function takeApart(text: string, place: Place): Pick<ConfigLine, 'keyword' | 'values'> {
  let found: { readonly param: string; readonly value: string | readonly { readonly val: string }[] } | undefined;
  try {
    found = SSHConfig.parse(text).find((line) => line.type === SSHConfig.DIRECTIVE) as typeof found;
  } catch {
    // Whatever it stumbled over, the line is the news.
  }
  const values = typeof found?.value === 'string' ? [found.value] : (found?.value.map(({ val }) => val) ?? []);
  if (!found || values.join('') === '') throw configError('this line cannot be understood', place, 'a keyword and its value: Port 2222');
  return { keyword: found.param.toLowerCase(), values };
}

/** The files that an Include names: relative to ~/.ssh, `*` and `?` in any part of the path, none when nothing is there. */
function filesOf(pattern: string): readonly string[] {
  const home = pattern.replace(/^~(?=\/)/, homedir());
  const whole = isAbsolute(home) ? home : join(homedir(), '.ssh', home);
  return expand(whole);
}

function expand(path: string): readonly string[] {
  if (!/[*?]/.test(path)) return [path];
  const above = dirname(path);
  const name = path.slice(above === '/' ? 1 : above.length + 1);
  return expand(above).flatMap((folder) => {
    if (!/[*?]/.test(name)) return [join(folder, name)];
    return entriesOf(folder)
      .filter((entry) => globPattern(name).test(entry) && (!entry.startsWith('.') || name.startsWith('.')))
      .map((entry) => join(folder, entry));
  });
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Something wrong in an ssh_config: `~/.ssh/config:12: …`, exit 4. */
export function configError(message: string, place: { readonly file: string; readonly line?: number }, hint?: string): LvsError {
  const where = { file: place.file, ...(place.line !== undefined && { line: place.line }) };
  return new LvsError(message, { code: 'ssh.config', exitCode: EXIT.badInput, where, ...(hint && { hint }) });
}
